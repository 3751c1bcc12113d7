"""What kept code saves: the second run of a source, which has none, beside the fourth, which has."""
import statistics
import time

# Kilobytes of source, and sources of each. The default profile takes 512 KB.
SIZES = [(1, 15), (5, 15), (8, 15), (20, 15), (100, 15), (500, 7)]

# A function as a model may write it. Types and names as in a script, so that the compiler has the usual to do.
FUNCTION = """function work{n}(items: Array<{{ id: number; name: string }}>, limit = {n}): Map<string, number> {{
  const found = new Map<string, number>();
  for (const item of items) {{
    if (item.id > limit && item.name.length > {n} % 7) {{
      const key = item.name.toLowerCase().trim() + ":" + String(item.id % 10);
      found.set(key, (found.get(key) ?? 0) + 1);
    }} else {{
      try {{ JSON.parse(item.name); }} catch (error) {{ found.set("bad", {n}); }}
    }}
  }}
  return found;
}}
"""


def source(kilobytes, called, number):
    """About so many KB, of whose functions each `called`-th is called. Another `number` is another artifact."""
    count = max(1, (kilobytes << 10) // len(FUNCTION.format(n=100)))
    functions = "".join(FUNCTION.format(n=n) for n in range(count))
    names = ",".join(f"work{n}" for n in range(count))
    items = '[{ id: 1e9, name: "Some" }, { id: 0, name: "{" }]'
    return (f"{functions}const all = [{names}];\nexport default () => {{ let sum = {number};"
            f" for (let n = 0; n < all.length; n += {called}) sum += all[n]({items}).size; return sum; }};\n")


def settled(server, before):
    """Waits until one more code cache is made, if the source is long enough for one."""
    deadline = time.monotonic() + 10
    while server.count("cordon_code_cache_total", result="made") == before and time.monotonic() < deadline:
        time.sleep(0.01)


def four(server, code):
    """CPU and wall time in ms of the second run and of the fourth; whether the fourth had kept code."""
    count = lambda result: server.count("cordon_code_cache_total", result=result)
    made, missed = count("made"), count("miss")
    first, second = server.run(code), server.run(code)
    if count("miss") > missed:
        settled(server, made)
    hits = count("hit")
    server.run(code)
    fourth = server.run(code)
    assert first["outcome"] == fourth["outcome"] == "ok" and first["result"] == fourth["result"], (first, fourth)
    pick = lambda report: [report["usage"][key] for key in ("cpuMs", "wallMs")]
    return pick(second), pick(fourth), count("hit") > hits


def figures(server):
    """Medians by size of the source and share of its functions that are called."""
    rows, number = {}, 0
    server.run(source(1, 1, number))
    for kilobytes, times in SIZES:
        for called, words in ((10, "a tenth"), (1, "all")):
            runs = []
            for _ in range(times):
                number += 1
                runs.append(four(server, source(kilobytes, called, number)))
            middle = lambda which, what: statistics.median(run[which][what] for run in runs)
            kept = "kept code" if all(run[2] for run in runs) else "no code kept"
            rows[f"{kilobytes} KB, {words} called, CPU ms without and {kept}"] = f"{middle(0, 0):.2f} {middle(1, 0):.2f}"
            rows[f"{kilobytes} KB, {words} called, wall ms without and {kept}"] = f"{middle(0, 1):.2f} {middle(1, 1):.2f}"
    return rows
