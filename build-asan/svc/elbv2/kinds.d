build-asan/svc/elbv2/kinds.o: src/svc/elbv2/kinds.c src/svc/elbv2/kinds.h \
 src/store/store.h src/base/arena.h src/base/span.h src/base/util.h \
 src/doc/doc.h src/base/buf.h
src/svc/elbv2/kinds.h:
src/store/store.h:
src/base/arena.h:
src/base/span.h:
src/base/util.h:
src/doc/doc.h:
src/base/buf.h:
