/* order_world.h: a small world for tests of orders: one domain, a service in two versions, what is there of them. JSON is written with '
   for
   ", so that it can be read in C. */
#ifndef CRESCENDO_TESTS_ORDER_WORLD_H
#define CRESCENDO_TESTS_ORDER_WORLD_H

#include "orchestrator/fulfil/check.h"

#include "base/json.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST_1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"

/* NULL-safe; steals nothing. A mistake in the text ends the test with its place. */
static inline json_t *json_of(const char *text)
{
    AUTO(free_text) char *copy = mem_copy_text(text);
    json_error_t error;
    for (char *at = copy; *at; at++)
        if (*at == '\'') *at = '"';
    json_t *json = json_loads(copy, JSON_DECODE_ANY, &error);
    if (!json) fail_msg("%s at %d: %s", error.text, error.position, text);
    return json;
}

static inline json_t *edge_domain(void)
{
    return json_of("{'domain':'edge','site':{'driver':'process','address':'127.0.0.1','ports':'18080-18099',"
                   "'flavours':{'small':{'cpu':500,'memory':268435456},'large':{'cpu':2000,'memory':1073741824},"
                   "'embb':{'slice-type':'eMBB','latency':20.0,'downlink':100000000,'uplink':50000000}},"
                   "'capacity':{'cpu':4000,'memory':4294967296,'instances':6,'downlink':150000000,'users':10}}}");
}

/* video VERSION: a network, a user and a compute `web`. */
static inline json_t *video_specification(const char *version)
{
    AUTO(free_text)
    char *text = mem_format(
        "{'id':'spec-%s','name':'video','version':'%s','lifecycleStatus':'Active',"
        "'attachment':[{'name':'package','digest':'" DIGEST_1 "'}],"
        "'specCharacteristic':[{'name':'descriptor','characteristicValueSpecification':[{'value':{'service':'video','version':'%s',"
        "'components':[{'network':{'name':'slice','slice-type':'eMBB','latency':20,'downlink':100000000}},"
        "{'user':{'name':'phone','count':2}},"
        "{'compute':{'name':'web','cpu':500,'memory':134217728,'replicas':1,'ports':{'http':8080},'command':['bin/web','$(PORT_HTTP)'],"
        "'env':{'MODE':'test'},'health':{'http':'/health'}}}]}}]},"
        "{'name':'replicas'},{'name':'traffic.share'},{'name':'colour'}]}",
        version, version, version);
    return json_of(text);
}

/* A service of video VERSION that is active on edge. */
static inline json_t *video_service(const char *id, const char *version, int replicas, double share)
{
    AUTO(free_text)
    char *text = mem_format(
        "{'id':'%s','href':'/tmf-api/serviceInventory/v4/service/%s','@type':'Service','category':'compute','state':'active',"
        "'place':[{'role':'domain','id':'edge','name':'edge','@type':'Place'}],"
        "'serviceSpecification':{'id':'spec-%s','name':'video','version':'%s'},"
        "'serviceCharacteristic':[{'name':'family','value':'video'},{'name':'component','value':'web'},{'name':'replicas','value':%d},"
        "{'name':'cpu','value':500},{'name':'memory','value':134217728},{'name':'traffic.share','value':%.1f}]}",
        id, id, version, version, replicas, share);
    return json_of(text);
}

struct world {
    json_t *domains, *specifications, *services, *orders;
};

static inline struct world world_new(void)
{
    struct world world = {json_object(), json_object(), json_object(), json_object()};
    json_put(world.domains, "edge", edge_domain());
    json_put(world.specifications, "spec-1.0.0", video_specification("1.0.0"));
    json_put(world.specifications, "spec-2.0.0", video_specification("2.0.0"));
    json_put(world.specifications, "spec-3.0.0", video_specification("3.0.0"));
    return world;
}

static inline void world_add_service(struct world *world, json_t *service)
{
    json_put(world->services, json_text(service, "id", ""), service);
}

static inline void world_release(struct world *world)
{
    json_decref(world->domains);
    json_decref(world->specifications);
    json_decref(world->services);
    json_decref(world->orders);
}

static inline int world_check(const struct world *world, const char *order, json_t **ret, struct error *err)
{
    AUTO(free_json) json_t *json = json_of(order);
    const struct order_world view = {world->domains, world->specifications, world->services, world->orders, 1700000000000};
    return order_check(json, "ada", &view, ret, err);
}

#define ITEM(id, action, service) "{'id':'" id "','action':'" action "','service':" service "}"
#define ORDER(items) "{'externalId':'e1','serviceOrderItem':[" items "]}"
#define ADD_WEB(version, more) "{'serviceSpecification':{'id':'spec-" version "'},'serviceCharacteristic':[" more "]}"
#define VALUE(name, value) "{'name':'" name "','value':" value "}"

#endif
