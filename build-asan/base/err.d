build-asan/base/err.o: src/base/err.c src/base/buf.h src/base/span.h \
 src/base/util.h src/base/err.h src/base/log.h
src/base/buf.h:
src/base/span.h:
src/base/util.h:
src/base/err.h:
src/base/log.h:
