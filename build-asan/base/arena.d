build-asan/base/arena.o: src/base/arena.c src/base/arena.h \
 src/base/span.h src/base/util.h
src/base/arena.h:
src/base/span.h:
src/base/util.h:
