// Lists that come in pages, read to their end (`paging:` of a connector.yml).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "connectors/declarative/reply.h"
#include "connectors/declarative/request.h"
#include "connectors/declarative/spec.h"

namespace eddy::connectors {

// A request that has a page to itself.
struct PageRequest {
  RequestSpec request;
  Content content;
  Lookup lookup;
};

// All pages of a list as one reply: the first, with the items of the others at the end of its list (`items`
// is a JSON pointer to it). `ask` gives the reply to one request, nullopt when there is nothing.
// `base_url`: where requests go; a page elsewhere is not asked for, because the credentials would go there
// too. Without `paging`, or when the first reply holds no list: just that reply.
// Throws Error("destination.too_many_pages"), Error("destination.next_page"), and what `ask` throws.
std::optional<Reply> read_pages(const std::optional<PagingSpec>& paging, const PageRequest& first,
                                const std::string& items, const std::function<std::string()>& base_url,
                                const std::function<std::optional<Reply>(const PageRequest&)>& ask);

}  // namespace eddy::connectors
