build-asan/drv/runtime/test-runtime.o: src/drv/runtime/test-runtime.c \
 src/base/buf.h src/base/span.h src/base/util.h src/base/test.h \
 src/drv/runtime/runtime.h src/base/arena.h src/drv/warden.h \
 src/loop/msg.h src/warden/proto.h
src/base/buf.h:
src/base/span.h:
src/base/util.h:
src/base/test.h:
src/drv/runtime/runtime.h:
src/base/arena.h:
src/drv/warden.h:
src/loop/msg.h:
src/warden/proto.h:
