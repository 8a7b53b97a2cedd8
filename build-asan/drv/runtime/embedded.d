build-asan/drv/runtime/embedded.o: src/drv/runtime/embedded.c \
 src/base/log.h src/base/util.h src/drv/runtime/runtime.h \
 src/base/arena.h src/base/span.h src/drv/warden.h src/loop/msg.h \
 src/base/buf.h src/warden/proto.h
src/base/log.h:
src/base/util.h:
src/drv/runtime/runtime.h:
src/base/arena.h:
src/base/span.h:
src/drv/warden.h:
src/loop/msg.h:
src/base/buf.h:
src/warden/proto.h:
