// How each member of the standard is found from the guest's side, and which of the deviations that are told are true. `PROBES` is put in by the test.
const probes = PROBES;

const keyOf = (name) => name.startsWith("@@") ? Symbol[name.slice(2)] : name;

// Instances, for members that may stand on them instead of on the prototype.
const samples = { Event: () => new Event("x"), MessageEvent: () => new MessageEvent("x") };

function shapeOf(property, kind) {
  if (kind === "operation") return typeof property.value === "function";
  if (kind === "constant") return typeof property.value === "number" && !property.writable;
  return property.get !== undefined;
}

function find(face, member) {
  const whole = globalThis[face.name];
  const object = face.namespace || member.static ? whole : whole?.prototype;
  if (object === undefined) return "absent";
  const key = keyOf(member.name);
  if (face.namespace) return key in object && (member.kind !== "operation" || typeof object[key] === "function") ? "there" : "absent";
  const property = Object.getOwnPropertyDescriptor(object, key);
  if (property !== undefined) return shapeOf(property, member.kind) ? "there" : "misplaced";
  return samples[face.name] !== undefined && key in samples[face.name]() ? "misplaced" : "absent";
}

// Whether an interface is what the standard says that it inherits from; MessagePort has something of its own in between.
const inherits = ({ name, parent }) => !parent || Object.prototype.isPrototypeOf.call(globalThis[parent].prototype, globalThis[name].prototype);

export default async (faces) => {
  const found = {};
  for (const face of faces) {
    found[face.name] = globalThis[face.name] === undefined ? "absent" : inherits(face) ? "there" : "misplaced";
    for (const member of face.members) found[`${face.name}.${member.name}`] = find(face, member);
  }
  const deviates = [];
  for (const probe of probes) deviates.push(await probe().catch(() => "threw") === true);
  return { found, deviates };
};
