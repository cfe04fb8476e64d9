// jsforce, as its documentation uses it.
import assert from "node:assert/strict";
import jsforce from "jsforce";
import { run, sandbox } from "./yardstick.mjs";

const sf = new jsforce.Connection({
  version: "62.0",
  oauth2: { loginUrl: sandbox, clientId: "sandbox-client", clientSecret: "sandbox-secret" },
});
const contacts = () => sf.sobject("Contact");
let ids = [];

await run({
  async log_in_with_client_credentials() {
    await sf.authorize({ grant_type: "client_credentials" });
    assert.equal(sf.instanceUrl, sandbox);
    assert.equal((await sf.identity()).username, "integration@example.com");
  },
  async describe() {
    const names = (await sf.describeGlobal()).sobjects.map((one) => one.name);
    assert.ok(names.includes("Subscription__c"));
    const fields = (await contacts().describe()).fields;
    assert.ok(fields.find((field) => field.name === "External_Id__c").externalId);
  },
  async limits_and_usage() {
    assert.ok((await sf.limits()).DailyApiRequests.Max > 0);
    assert.ok(sf.limitInfo.apiUsage.used > 0);
  },
  async collections() {
    const made = await contacts().create([{ LastName: "A", Email: "a@example.com" }, { LastName: "B" }]);
    assert.deepEqual(made.map((row) => row.success), [true, true]);
    ids = made.map((row) => row.id);
    assert.equal((await contacts().retrieve(ids))[0].LastName, "A");
    const changed = await contacts().update(ids.map((Id) => ({ Id, Title: "Boss" })));
    assert.ok(changed.every((row) => row.success));
    const rows = [{ External_Id__c: "u1", LastName: "U1" }, { External_Id__c: "u2" }];
    const upserted = await contacts().upsert(rows, "External_Id__c", { allOrNone: false });
    assert.deepEqual(upserted.map((row) => row.success), [true, false]);
    assert.equal(upserted[1].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
  },
  async one_row() {
    const again = await contacts().upsert({ External_Id__c: "u1", LastName: "Again" }, "External_Id__c");
    assert.equal(again.created, false);
    assert.equal((await contacts().retrieve(ids[0])).Title, "Boss");
    await assert.rejects(contacts().create({ FirstName: "only" }), { errorCode: "REQUIRED_FIELD_MISSING" });
    await assert.rejects(contacts().retrieve("003000000000000AAA"), { errorCode: "NOT_FOUND" });
  },
  async queries() {
    const found = await contacts().find({ LastName: "Again" }, "Id, LastName, Account.Name").limit(5);
    assert.equal(found.length, 1);
    assert.equal(await contacts().count({ LastName: { $like: "Ag%" } }), 1);
    const today = await contacts().find({ CreatedDate: jsforce.SfDate.TODAY }, ["Id"]).sort({ CreatedDate: -1 });
    assert.equal(today.length, 3);
    const rows = await sf.query("SELECT Id FROM Contact").execute({ autoFetch: true, maxFetch: 10 });
    assert.equal((rows.records ?? rows).length, 3);
  },
  async deleting() {
    assert.ok((await contacts().destroy(ids)).every((row) => row.success));
    const now = new Date(Date.now() + 60_000), before = new Date(Date.now() - 3_600_000);
    assert.equal((await contacts().deleted(before, now)).deletedRecords.length, 2);
  },
  async bulk_2_at_once() {
    const done = await sf.bulk2.loadAndWaitForResults({
      object: "Contact", operation: "upsert", externalIdFieldName: "External_Id__c", pollInterval: 20,
      input: [{ External_Id__c: "k1", LastName: "K1" }, { External_Id__c: "k2", LastName: "" }],
    });
    assert.equal(done.successfulResults[0].External_Id__c, "k1");
    assert.match(done.failedResults[0].sf__Error, /^REQUIRED_FIELD_MISSING:/);
  },
  async bulk_2_step_by_step() {
    const job = sf.bulk2.createJob({ operation: "insert", object: "Contact" });
    await job.open();
    await job.uploadData("LastName\nStep\n");
    await job.close();
    await job.poll(20, 10_000);
    assert.equal((await job.getAllResults()).successfulResults.length, 1);
    const other = sf.bulk2.createJob({ operation: "insert", object: "Contact" });
    await other.open();
    await other.abort();
    assert.equal((await other.check()).state, "Aborted");
    await other.delete();
  },
  async bulk_2_query() {
    const rows = await sf.bulk2.query("SELECT Id, LastName FROM Contact", { pollInterval: 20, pollTimeout: 10_000 });
    assert.equal((await rows.toArray()).length, 3);
  },
  async log_out() {
    await sf.logout();
    assert.equal(sf.accessToken, null);
  },
});
