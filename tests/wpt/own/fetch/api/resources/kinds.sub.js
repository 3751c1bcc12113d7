// The origin, whose name and port are filled in when the file is read.
function hostOfTheOrigin() {
  return `http://{{host}}:${eval('{{ports[http][0]}}')}/`;
}
