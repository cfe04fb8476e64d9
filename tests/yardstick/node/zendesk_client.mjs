// node-zendesk, as its documentation uses it.
import assert from "node:assert/strict";
import zendesk from "node-zendesk";
import { run, sandbox } from "./yardstick.mjs";

const zd = zendesk.createClient({
  username: "agent@example.com", token: "sandbox-api-token", endpointUri: `${sandbox}/api/v2`,
});
let user, ticket;

// What a call answered: the library gives {response, result}, and unpacks some of the results.
function part(answer, name) {
  const result = answer.result ?? answer;
  return result[name] ?? result;
}
async function finished(answer) {
  let job = part(answer, "job_status");
  while (["queued", "working"].includes(job.status)) job = part(await zd.jobstatuses.show(job.id), "job_status");
  return job;
}

await run({
  async users() {
    assert.equal(part(await zd.users.me(), "user").role, "admin");
    user = part(await zd.users.create({ user: { name: "Ann", email: "ann@example.com", external_id: "e1" } }), "user").id;
    await zd.users.update(user, { user: { name: "Anna" } });
    assert.equal(part(await zd.users.createOrUpdate({ user: { name: "Anne", external_id: "e1" } }), "user").id, user);
    assert.equal(part(await zd.users.show(user), "user").name, "Anne");
    assert.equal(part(await zd.users.search({ query: "ann@example.com" }), "users").length, 1);
    await assert.rejects(zd.users.show(987654), /404/);
  },
  async many_users() {
    assert.equal((await finished(await zd.users.createMany({ users: [{ name: "M1" }, { name: "M2" }] }))).status,
      "completed");
    const job = await finished(await zd.users.createOrUpdateMany({ users: [{ name: "M3", external_id: "m3" }] }));
    assert.equal(job.results[0].status, "Created");
    assert.ok(part(await zd.users.list(), "users").length >= 4);
  },
  async organizations() {
    const made = part(await zd.organizations.create({ organization: { name: "O", external_id: "o1" } }), "organization");
    await zd.organizations.update(made.id, { organization: { notes: "n" } });
    assert.equal(part(await zd.organizations.show(made.id), "organization").notes, "n");
  },
  async tickets() {
    const body = { subject: "Help", comment: { body: "It is broken" }, requester_id: user };
    ticket = part(await zd.tickets.create({ ticket: body }), "ticket").id;
    assert.equal(part(await zd.tickets.update(ticket, { ticket: { status: "open" } }), "ticket").status, "open");
    assert.equal(part(await zd.tickets.getComments(ticket), "comments").length, 1);
    const job = await finished(await zd.tickets.createMany({ tickets: [{ subject: "M", comment: { body: "b" } }] }));
    assert.equal(job.results[0].index, 0);
  },
  async searching() {
    assert.equal(part(await zd.search.query("type:user email:ann@example.com"), "results").length, 1);
  },
  async fields() {
    const fields = part(await zd.userfields.list(), "user_fields");
    assert.ok(fields.some((field) => field.key === "customer_health"));
  },
});
