// What an addon exports beside `runs`; see entry.cc.
#pragma once
#include <node_api.h>

namespace lockstep {

// Returns null where Node-API has thrown.
napi_value exportCalls(napi_env env, napi_value exports);

}  // namespace lockstep
