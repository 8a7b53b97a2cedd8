build-asan/base/span.o: src/base/span.c src/base/span.h src/base/util.h
src/base/span.h:
src/base/util.h:
