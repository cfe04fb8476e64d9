// What the clients here share: named steps that run in the order they are written, and the sandbox's address.
export const sandbox = process.env.YARDSTICK_SANDBOX;

export async function run(steps) {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      console.log(`ok      ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED  ${name}\n${error?.stack ?? error}`);
    }
  }
  console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
