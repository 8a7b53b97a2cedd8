/* The schema, as the list of steps that made it.  Never edit a step. */
#include <stddef.h>

#include "store/migrations.h"

const char *const store_migrations[] = {
    /* 1: resources, what they are found by, tags, settings, counters. */
    "CREATE TABLE kind(kind INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE resource("
    " row INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL,"
    " account TEXT NOT NULL,"
    " region TEXT NOT NULL,"
    " parent TEXT NOT NULL,"
    " id TEXT NOT NULL,"
    " arn TEXT NOT NULL,"
    " created INTEGER NOT NULL,"
    " version INTEGER NOT NULL,"
    " spec TEXT NOT NULL,"
    " status TEXT NOT NULL);"
    "CREATE UNIQUE INDEX resource_name ON"
    " resource(kind,account,region,parent,id);"
    "CREATE INDEX resource_list ON resource(kind,account,region,row);"
    "CREATE INDEX resource_arn ON resource(arn) WHERE arn<>'';"
    "CREATE TABLE lookup("
    " kind INTEGER NOT NULL,"
    " member INTEGER NOT NULL,"
    " value TEXT NOT NULL,"
    " row INTEGER NOT NULL,"
    " PRIMARY KEY(kind,member,value,row)) WITHOUT ROWID;"
    "CREATE INDEX lookup_row ON lookup(row);"
    "CREATE TABLE tag("
    " row INTEGER NOT NULL,"
    " key TEXT NOT NULL,"
    " value TEXT NOT NULL,"
    " PRIMARY KEY(row,key)) WITHOUT ROWID;"
    "CREATE INDEX tag_key ON tag(key,value,row);"
    "CREATE TABLE setting(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;",
    NULL,
};
