// Scripts of the suite make globals by assigning to them.
madeByAssigning = [];
for (counted = 0; counted < 2; counted++) madeByAssigning.push(counted);

test(() => {
  assert_array_equals(madeByAssigning, [0, 1]);
  assert_equals(self.counted, 2);
}, "names that are assigned and not declared are globals");
