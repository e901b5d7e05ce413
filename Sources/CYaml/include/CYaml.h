// libyaml, for the configuration file: its events carry the line and column of everything, which a tree of values loses.
// Linked from the static archive, so that the program needs no further package to run.
#ifndef CYAML_H
#define CYAML_H

#include <yaml.h>

#endif
