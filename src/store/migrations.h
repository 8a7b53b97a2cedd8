/* The steps that bring a database to the present schema; PRAGMA user_version
 * counts those that were taken. */
#pragma once

extern const char *const store_migrations[]; /* NULL-terminated */
