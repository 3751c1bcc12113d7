# workerd as a runner of snippets: one HTTP socket, one loader. PORT is filled in by benches/load.py.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "loader", worker = .loader)],
  sockets = [(name = "http", address = "127.0.0.1:PORT", http = (), service = "loader")],
);

const loader :Workerd.Worker = (
  modules = [(name = "loader.js", esModule = embed "loader.js")],
  compatibilityDate = "2026-01-01",
  bindings = [(name = "LOADER", workerLoader = (id = "snippets"))],
);
