test(() => {}, "a test that passes");
throw new Error("thrown by the script");
