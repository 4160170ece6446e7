// Frames over MPI, for --transport mpi. One thread owns MPI: it begins what the main thread asks for, looks for what
// comes, and hands both on. A frame is two messages of one sender, in order: the header, then the payload.
#include <mpi.h>
#include <node_api.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace {

constexpr int HEADER_TAG = 1;
constexpr int PAYLOAD_TAG = 2;
// Looks at once again for so many turns, then sleeps longer the longer nothing comes.
constexpr int SPINS = 100;
constexpr auto SHORTEST_SLEEP = std::chrono::microseconds(20);
constexpr auto LONGEST_SLEEP = std::chrono::microseconds(500);

struct Outgoing {
  int rank;
  uint32_t id;
  std::vector<char> header;
  void* payload;
  size_t payloadBytes;
  MPI_Request requests[2];
};

enum class Kind { frame, sent, closed };

// What the main thread is told.
struct Event {
  Kind kind;
  int rank;
  uint32_t id;
  void* header;
  size_t headerBytes;
  void* payload;
  size_t payloadBytes;
};

struct World {
  std::mutex mutex;
  std::condition_variable wake;
  std::list<Outgoing> queue;
  bool isClosing = false;
  bool isOpen = false;
  int rank = 0, size = 0;
  napi_threadsafe_function tell = nullptr;
  std::thread thread;
};

// Never destroyed: a process that fails ends while the thread still runs.
World& world = *new World;

void tell(Event event) { napi_call_threadsafe_function(world.tell, new Event(event), napi_tsfn_blocking); }

void* receive(MPI_Message* message, const MPI_Status& status, size_t& bytes) {
  int count;
  MPI_Get_count(&status, MPI_BYTE, &count);
  bytes = count;
  void* data = malloc(count > 0 ? count : 1);
  MPI_Mrecv(data, count, MPI_BYTE, message, MPI_STATUS_IGNORE);
  return data;
}

bool receiveFrame() {
  int isThere;
  MPI_Message message;
  MPI_Status status;
  MPI_Improbe(MPI_ANY_SOURCE, HEADER_TAG, MPI_COMM_WORLD, &isThere, &message, &status);
  if (!isThere) return false;
  Event event = {Kind::frame, status.MPI_SOURCE, 0, nullptr, 0, nullptr, 0};
  event.header = receive(&message, status, event.headerBytes);
  // Sent together with the header, and nothing overtakes it.
  MPI_Mprobe(event.rank, PAYLOAD_TAG, MPI_COMM_WORLD, &message, &status);
  event.payload = receive(&message, status, event.payloadBytes);
  tell(event);
  return true;
}

void begin(Outgoing& out) {
  MPI_Isend(out.header.data(), (int)out.header.size(), MPI_BYTE, out.rank, HEADER_TAG, MPI_COMM_WORLD, &out.requests[0]);
  MPI_Isend(out.payload, (int)out.payloadBytes, MPI_BYTE, out.rank, PAYLOAD_TAG, MPI_COMM_WORLD, &out.requests[1]);
}

bool finishSent(std::list<Outgoing>& flying) {
  bool any = false;
  for (auto out = flying.begin(); out != flying.end();) {
    int isDone;
    MPI_Testall(2, out->requests, &isDone, MPI_STATUSES_IGNORE);
    if (!isDone) {
      ++out;
      continue;
    }
    tell({Kind::sent, out->rank, out->id, nullptr, 0, nullptr, 0});
    out = flying.erase(out);
    any = true;
  }
  return any;
}

void serve() {
  std::list<Outgoing> flying;
  int idle = 0;
  for (;;) {
    std::list<Outgoing> taken;
    bool isClosing;
    {
      std::unique_lock<std::mutex> lock(world.mutex);
      if (world.queue.empty() && idle > SPINS && !world.isClosing) {
        auto sleep = SHORTEST_SLEEP * (idle - SPINS);
        world.wake.wait_for(lock, sleep < LONGEST_SLEEP ? sleep : LONGEST_SLEEP);
      }
      taken.swap(world.queue);
      isClosing = world.isClosing;
    }
    for (Outgoing& out : taken) begin(out);
    bool isBusy = !taken.empty();
    flying.splice(flying.end(), taken);
    while (receiveFrame()) isBusy = true;
    if (finishSent(flying)) isBusy = true;
    idle = isBusy ? 0 : idle + 1;
    if (isClosing && flying.empty()) return;
  }
}

void run(std::mutex* opening, std::condition_variable* opened) {
  int provided;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  {
    std::lock_guard<std::mutex> lock(*opening);
    MPI_Comm_rank(MPI_COMM_WORLD, &world.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world.size);
    world.isOpen = true;
    opened->notify_one();
  }
  serve();
  MPI_Finalize();
  tell({Kind::closed, 0, 0, nullptr, 0, nullptr, 0});
}

napi_value external(napi_env env, void* data, size_t bytes) {
  napi_value buffer;
  napi_create_external_buffer(env, bytes, data, [](napi_env, void* held, void*) { free(held); }, nullptr, &buffer);
  return buffer;
}

// callback(kind, rank, id, header, payload)
void callBack(napi_env env, napi_value callback, void*, void* data) {
  Event* event = (Event*)data;
  if (env != nullptr) {
    napi_value arguments[5], receiver;
    napi_get_undefined(env, &receiver);
    napi_create_uint32(env, (uint32_t)event->kind, &arguments[0]);
    napi_create_int32(env, event->rank, &arguments[1]);
    napi_create_uint32(env, event->id, &arguments[2]);
    bool isFrame = event->kind == Kind::frame;
    arguments[3] = isFrame ? external(env, event->header, event->headerBytes) : receiver;
    arguments[4] = isFrame ? external(env, event->payload, event->payloadBytes) : receiver;
    napi_call_function(env, receiver, callback, 5, arguments, nullptr);
    if (event->kind == Kind::closed) {
      world.thread.join();
      napi_release_threadsafe_function(world.tell, napi_tsfn_release);
    }
  }
  delete event;
}

#define CHECK(condition, text)                            \
  if (!(condition)) {                                     \
    napi_throw_error(env, "LOCKSTEP_NATIVE", (text)); \
    return nullptr;                                       \
  }

// open(callback): [rank, size]; returns when all ranks have called it
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value callback, name, result, value;
  napi_get_cb_info(env, info, &count, &callback, nullptr, nullptr);
  CHECK(!world.thread.joinable(), "MPI is open already");
  napi_create_string_utf8(env, "mpi", NAPI_AUTO_LENGTH, &name);
  napi_status status =
      napi_create_threadsafe_function(env, callback, nullptr, name, 0, 1, nullptr, nullptr, nullptr, callBack, &world.tell);
  CHECK(status == napi_ok, "open needs a callback");
  // What keeps the process alive are its connections.
  napi_unref_threadsafe_function(env, world.tell);
  std::mutex opening;
  std::condition_variable opened;
  std::unique_lock<std::mutex> lock(opening);
  world.thread = std::thread(run, &opening, &opened);
  opened.wait(lock, [] { return world.isOpen; });
  napi_create_array_with_length(env, 2, &result);
  napi_create_int32(env, world.rank, &value);
  napi_set_element(env, result, 0, value);
  napi_create_int32(env, world.size, &value);
  napi_set_element(env, result, 1, value);
  return result;
}

// send(rank, id, header, payload): payload stays as it is until the callback has said that id was sent
napi_value send(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  Outgoing out;
  void* header;
  size_t headerBytes;
  CHECK(count == 4 && napi_get_value_int32(env, arguments[0], &out.rank) == napi_ok, "send needs a rank");
  CHECK(out.rank >= 0 && out.rank < world.size, "there is no such rank");
  CHECK(napi_get_value_uint32(env, arguments[1], &out.id) == napi_ok, "send needs an id");
  CHECK(napi_get_buffer_info(env, arguments[2], &header, &headerBytes) == napi_ok, "send needs a header");
  CHECK(napi_get_buffer_info(env, arguments[3], &out.payload, &out.payloadBytes) == napi_ok, "send needs a payload");
  out.header.assign((char*)header, (char*)header + headerBytes);
  std::lock_guard<std::mutex> lock(world.mutex);
  CHECK(world.isOpen && !world.isClosing, "MPI is not open");
  world.queue.push_back(std::move(out));
  world.wake.notify_one();
  return nullptr;
}

// close(): everything is sent, then MPI ends when all ranks have come this far; the callback says when
napi_value close(napi_env env, napi_callback_info) {
  std::lock_guard<std::mutex> lock(world.mutex);
  CHECK(world.isOpen, "MPI is not open");
  world.isClosing = true;
  napi_ref_threadsafe_function(env, world.tell);
  world.wake.notify_one();
  return nullptr;
}

napi_value initialize(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"open", nullptr, open, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"send", nullptr, send, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"close", nullptr, close, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  napi_define_properties(env, exports, 3, functions);
  return exports;
}

}  // namespace

NAPI_MODULE(lockstep_mpi, initialize)
