build-asan/loop/msg.o: src/loop/msg.c src/base/err.h src/base/util.h \
 src/loop/msg.h src/base/arena.h src/base/span.h src/base/buf.h
src/base/err.h:
src/base/util.h:
src/loop/msg.h:
src/base/arena.h:
src/base/span.h:
src/base/buf.h:
