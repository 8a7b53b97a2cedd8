build-asan/base/clock.o: src/base/clock.c src/base/clock.h \
 src/base/arena.h src/base/span.h src/base/util.h
src/base/clock.h:
src/base/arena.h:
src/base/span.h:
src/base/util.h:
