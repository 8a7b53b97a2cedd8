build-asan/doc/doc.o: src/doc/doc.c src/doc/doc.h src/base/arena.h \
 src/base/span.h src/base/util.h src/base/buf.h
src/doc/doc.h:
src/base/arena.h:
src/base/span.h:
src/base/util.h:
src/base/buf.h:
