build-asan/base/buf.o: src/base/buf.c src/base/buf.h src/base/span.h \
 src/base/util.h
src/base/buf.h:
src/base/span.h:
src/base/util.h:
