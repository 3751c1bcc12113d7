import { Shape, Unit, Factor } from "./lib.ts";
import type { Missing } from "somewhere";
interface Row { id: number; name?: string; tags: readonly string[] }
type Pair<A, B = A> = [A, B];
declare const process: unknown;
class Square extends Shape {
  #count = 0;
  static #all = new Set<Square>();
  override area() { this.#count++; return this.side ** 2 * (this.unit === Unit.Foot ? Factor.foot ** 2 : 1); }
}
const rows: Row[] = [{ id: 1, tags: ["a"] }, { id: 2, name: "b", tags: [] }];
async function* walk<T>(list: Iterable<T>): AsyncGenerator<Pair<number, T>> {
  let at = 0;
  for (const item of list) yield [at++, item];
}
const seen: Record<string, unknown> = {};
try {
  for await (const [at, row] of walk(rows)) {
    seen[row.name ?? `row ${at}`] = row.tags?.map((tag) => tag.replace(/^(?<first>\w)/u, "$<first>!")) as string[];
  }
} catch (error: unknown) {
  console.error((error as Error).message!);
}
({ area: new Square(3).area(), seen, input });
