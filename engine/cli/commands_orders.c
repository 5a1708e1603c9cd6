/* commands_orders.c: options and examples of the commands that publish, order and look at services. */
#include "cli/commands_tables.h"

#define CORE_OPTION \
    { \
        "core", 0, "URL", "the core: unix:/path or http://host:port; else CRESCENDO_CORE, else the server's own" \
    }

const struct option_spec catalogue_options[] = {
    {"service", 0, "FILE", "with publish: the descriptor; the default is service.yaml beside the package"},
    CORE_OPTION,
    JSON_OPTION,
    OPTION_END,
};
const struct example catalogue_examples[] = {
    {"crescendo catalogue", "what is published"},
    {"crescendo catalogue show hello 1.0.0", "its package, components and promises"},
    {"crescendo catalogue publish hello-1.0.0.tar.gz", "with the service.yaml beside it"},
    {"crescendo catalogue retire hello 1.0.0", "nobody can order it any more"},
    {0},
};

const char order_about[] =
    "An order adds, changes or ends services on a domain, and is undone where it fails. Crescendo waits until it is at rest: 0 "
    "it is completed, 1 it failed or was cancelled, 4 the core refuses it (a policy, capacity, another order with its key), "
    "7 a person must look at it. Ctrl-C leaves the order alone.";
const struct option_spec order_options[] = {
    {"domain", 0, "NAME", "with add: where; may be left out where the core has one domain"},
    {"replicas", 'n', "N", "with add: instances"},
    {"share", 0, "PERCENT", "with add: its part of the requests, 10%, where another version is in service"},
    {"lease", 0, "TIME", "with share: goes back by itself when nobody renews it for so long: 60s"},
    {"key", 0, "TEXT", "the same key and body again is the same order, not a second one"},
    {"description", 0, "TEXT", "what to call the order"},
    {"wait", 0, NULL, "until the order is at rest; the default"},
    {"no-wait", 0, NULL, "print the order's number and return"},
    {"dry-run", 0, NULL, "print the order's body, and send nothing"},
    {"state", 's', "STATE", "with list: only in this state: completed, failed, inProgress, ..."},
    {"limit", 0, "N", "with list: this many, at most 500; the default is 20"},
    {"comment", 'm', "TEXT", "with cancel, resolve: why"},
    {"done", 0, "ID", "with resolve: what nobody could tell happened, to service ID"},
    {"not-done", 0, NULL, "with resolve: it did not happen, and may be sent again"},
    {"undone", 0, NULL, "with resolve: what could not be undone was undone by hand"},
    {"effect", 0, "NAME", "with resolve: which effect, where several of the item are unknown"},
    CORE_OPTION,
    JSON_OPTION,
    OPTION_END,
};
const struct example order_examples[] = {
    {"crescendo order add hello --domain here", "the newest version, and wait until it answers"},
    {"crescendo order add hello@2.0.0 --share 10%", "beside the version in service"},
    {"crescendo order share 12.1 100%", "all requests to service 12.1"},
    {"crescendo order scale 12.1 2", "two instances"},
    {"crescendo order delete 7.1", "ends service 7.1"},
    {"crescendo order resolve 13 --not-done", "13 is held: it has not happened, and may be tried again"},
    {0},
};

const struct option_spec inventory_options[] = {
    {"domain", 0, "NAME", "only on this domain"},
    {"all", 'a', NULL, "those that have ended, too"},
    {"instance", 'i', "N", "with logs: only this one"},
    {"tail", 'n', "N", "with logs: so many lines of each instance, at most 10000; the default is 200"},
    CORE_OPTION,
    JSON_OPTION,
    OPTION_END,
};
const struct example inventory_examples[] = {
    {"crescendo inventory", "what runs, where it answers, with which share"},
    {"crescendo inventory show 12.1", "all about one service"},
    {"crescendo inventory logs 12.1 --tail 50", "what it printed last, also when it has ended"},
    {0},
};

const char domain_about[] =
    "A domain is a place where services run. Its file, domains/NAME.yaml in the data folder, says how to reach it and, "
    "where the core drives it itself, what is there.";
const struct option_spec domain_options[] = {
    {"address", 0, "ADDRESS", "with add: where its services listen; the default is 127.0.0.1"},
    {"ports", 0, "FROM-TO", "with add: the ports that they may have; the default is 18080-18099"},
    {"url", 0, "URL", "with add: a domain that another core drives; the default is embedded"},
    {"dialect", 0, "NAME", "with add: how that core speaks; the default is standard"},
    CORE_OPTION,
    JSON_OPTION,
    OPTION_END,
};
const struct example domain_examples[] = {
    {"crescendo domain add here", "services on this machine, behind 127.0.0.1"},
    {"crescendo domain show here", "its capacity, services and instances"},
    {"crescendo domain remove here", "no longer; its services must have ended"},
    {0},
};

const struct option_spec telemetry_options[] = {
    {"service", 's', "ID", "only this service, as the inventory calls it: 17.1"},
    {"version", 0, "VERSION", "only this version"},
    {"family", 0, "NAME", "only the versions of this service"},
    {"since", 0, "DURATION", "the last 30s, 10m, 2h, 1d; the default is 5m"},
    {"raw", 0, NULL, "every request as a line of JSON, in the order in which they ended"},
    {"follow", 'f', NULL, "with --raw: go on as requests come"},
    JSON_OPTION,
    OPTION_END,
};
const struct example telemetry_examples[] = {
    {"crescendo telemetry edge-1", "each version's requests, errors and latency in the last five minutes"},
    {"crescendo telemetry edge-1 --service 17.1 --since 1h", "one service, one hour"},
    {"crescendo telemetry edge-1 --raw --follow | jq .duration", "every request, as it comes"},
    {0},
};
