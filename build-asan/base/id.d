build-asan/base/id.o: src/base/id.c src/base/buf.h src/base/span.h \
 src/base/util.h src/base/id.h src/base/arena.h
src/base/buf.h:
src/base/span.h:
src/base/util.h:
src/base/id.h:
src/base/arena.h:
