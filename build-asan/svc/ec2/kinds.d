build-asan/svc/ec2/kinds.o: src/svc/ec2/kinds.c src/svc/ec2/kinds.h \
 src/store/store.h src/base/arena.h src/base/span.h src/base/util.h \
 src/doc/doc.h src/base/buf.h
src/svc/ec2/kinds.h:
src/store/store.h:
src/base/arena.h:
src/base/span.h:
src/base/util.h:
src/doc/doc.h:
src/base/buf.h:
