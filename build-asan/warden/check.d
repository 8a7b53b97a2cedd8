build-asan/warden/check.o: src/warden/check.c src/warden/check.h \
 src/base/span.h
src/warden/check.h:
src/base/span.h:
