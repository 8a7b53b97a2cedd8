/*
 * Container output: from the monitor's segments to log events, and the events'
 * end.
 *
 * ctl_logs reads the directories of doc/format/container-log.md.  Each has a
 * tail (logs-tail.h) in one of three modes:
 *
 *	WAIT	its container has not said yet where its output goes
 *	STORE	to a log stream: read, written to logs.db together with the
 *		position, and deleted once both are on the disk
 *	KEEP	nowhere: the newest two segments stay, for `neargate logs`,
 *		until the task's row goes
 *
 * What the kernel says about a directory (inotify) makes its tail ready; all
 * ready tails are read in the next turn, each up to a limit, so that a loud
 * container delays nobody.
 */
#pragma once

#include "ctl/ctl.h"

extern const struct controller ctl_logs;
extern const struct controller ctl_logs_purge;
