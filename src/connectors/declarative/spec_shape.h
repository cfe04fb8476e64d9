// Shapes of blocks that several parts of connector.yml have in common.
#pragma once

#include "config/shape.h"

namespace eddy::connectors {

config::Shape check_shape();
config::Shape limits_shape();
config::Shape paging_shape();
config::Shape request_shape();
config::Shape rows_shape();
config::Shape option_shape();  // options.cpp  // a list in a reply

}  // namespace eddy::connectors
