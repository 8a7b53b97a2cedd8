/* Which build this is: the commit, as `git describe` names it. */
#pragma once

extern const char neargate_version[];
