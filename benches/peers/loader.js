// Runs the body of a request as a Dynamic Worker of its own: `load()` makes a fresh isolate that nobody else gets.
export default {
  async fetch(request, env) {
    const fresh = env.LOADER.load({
      compatibilityDate: "2026-01-01",
      mainModule: "snippet.js",
      modules: { "snippet.js": await request.text() },
      env: {},
      globalOutbound: null,
    });
    return fresh.getEntrypoint().fetch("http://snippet/");
  },
};
