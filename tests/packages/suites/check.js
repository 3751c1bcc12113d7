// Counts what holds and names what does not.
export class Checks {
  passed = 0;
  failed = [];

  equal(name, found, wanted) {
    const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (left === right) this.passed++;
    else this.failed.push(`${name}: ${left} instead of ${right}`);
  }

  async throws(name, f, wanted) {
    const thrown = await (async () => f())().then(() => "nothing", (error) => `${error?.name}: ${error?.message}`);
    if (wanted.test(thrown)) this.passed++;
    else this.failed.push(`${name}: ${thrown} does not match ${wanted}`);
  }

  get report() {
    return { passed: this.passed, failed: this.failed };
  }
}
