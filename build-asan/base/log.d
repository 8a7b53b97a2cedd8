build-asan/base/log.o: src/base/log.c src/base/buf.h src/base/span.h \
 src/base/util.h src/base/log.h
src/base/buf.h:
src/base/span.h:
src/base/util.h:
src/base/log.h:
