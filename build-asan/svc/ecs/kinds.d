build-asan/svc/ecs/kinds.o: src/svc/ecs/kinds.c src/svc/ecs/kinds.h \
 src/store/store.h src/base/arena.h src/base/span.h src/base/util.h \
 src/doc/doc.h src/base/buf.h
src/svc/ecs/kinds.h:
src/store/store.h:
src/base/arena.h:
src/base/span.h:
src/base/util.h:
src/doc/doc.h:
src/base/buf.h:
