build-asan/drv/warden.o: src/drv/warden.c src/base/err.h src/base/util.h \
 src/base/list.h src/base/log.h src/drv/warden.h src/loop/msg.h \
 src/base/arena.h src/base/span.h src/base/buf.h src/warden/proto.h
src/base/err.h:
src/base/util.h:
src/base/list.h:
src/base/log.h:
src/drv/warden.h:
src/loop/msg.h:
src/base/arena.h:
src/base/span.h:
src/base/buf.h:
src/warden/proto.h:
