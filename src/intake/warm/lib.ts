export enum Unit { Metre = "m", Foot = "ft" }
export namespace Factor { export const foot = 0.3048; }
export abstract class Shape<T extends number = number> {
  constructor(protected readonly side: T, public unit: Unit = Unit.Metre) {}
  abstract area(): number;
  get label(): string { return `${this.side satisfies number} ${this.unit}`; }
}
