build-asan/drv/runtime/fake.o: src/drv/runtime/fake.c src/base/buf.h \
 src/base/span.h src/base/util.h src/base/clock.h src/base/arena.h \
 src/base/list.h src/drv/runtime/runtime.h
src/base/buf.h:
src/base/span.h:
src/base/util.h:
src/base/clock.h:
src/base/arena.h:
src/base/list.h:
src/drv/runtime/runtime.h:
