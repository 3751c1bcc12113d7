test(() => { for (;;) ; }, "a loop without end");
