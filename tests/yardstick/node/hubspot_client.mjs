// @hubspot/api-client, as its documentation uses it.
import assert from "node:assert/strict";
import { Client } from "@hubspot/api-client";
import { run, sandbox } from "./yardstick.mjs";

const hs = new Client({ accessToken: "pat-sandbox-token", basePath: sandbox });
const defined = (id) => [{ associationCategory: "HUBSPOT_DEFINED", associationTypeId: id }];
let contact, company;

await run({
  async records() {
    const api = hs.crm.contacts.basicApi;
    contact = (await api.create({ properties: { email: "one@example.com", firstname: "One" }, associations: [] })).id;
    company = (await hs.crm.companies.basicApi.create({ properties: { name: "Acme" }, associations: [] })).id;
    const linked = await api.create({
      properties: { email: "two@example.com" }, associations: [{ to: { id: company }, types: defined(279) }],
    });
    const read = await api.getById(linked.id, ["email"], undefined, ["companies"]);
    assert.equal(read.associations.companies.results[0].id, company);
    assert.equal((await api.getById("one@example.com", [], undefined, undefined, false, "email")).id, contact);
    assert.equal((await hs.crm.contacts.getAll(100)).length, 2);
    await assert.rejects(api.create({ properties: { email: "one@example.com" }, associations: [] }),
      (error) => error.code === 409 && error.body.category === "CONFLICT");
  },
  async batches() {
    const api = hs.crm.contacts.batchApi;
    const upserted = await api.upsert({ inputs: [
      { id: "one@example.com", idProperty: "email", properties: { firstname: "Uno" } },
      { id: "three@example.com", idProperty: "email", properties: {} }] });
    assert.deepEqual(upserted.results.map((row) => row._new ?? row.new).sort(), [false, true]);
    const read = await api.read({
      inputs: [{ id: "one@example.com" }], idProperty: "email", properties: ["firstname"], propertiesWithHistory: [],
    });
    assert.equal(read.results[0].properties.firstname, "Uno");
    await api.update({ inputs: [{ id: contact, properties: { firstname: "Eins" } }] });
    const partly = await api.update({ inputs: [
      { id: contact, properties: {}, objectWriteTraceId: "a" },
      { id: "99999", properties: {}, objectWriteTraceId: "b" }] });
    assert.equal(partly.numErrors, 1);
  },
  async search() {
    const found = await hs.crm.contacts.searchApi.doSearch({
      filterGroups: [{ filters: [{ propertyName: "firstname", operator: "EQ", value: "Eins" }] }],
      sorts: ["createdate"], properties: ["email"], limit: 10, after: "0",
    });
    assert.equal(found.results[0].properties.email, "one@example.com");
  },
  async links() {
    const { basicApi, batchApi, schema } = hs.crm.associations.v4;
    await basicApi.createDefault("contacts", contact, "companies", company);
    await batchApi.create("contacts", "companies", {
      inputs: [{ _from: { id: contact }, to: { id: company }, types: defined(1) }],
    });
    const read = await batchApi.getPage("contacts", "companies", { inputs: [{ id: contact }] });
    assert.deepEqual(read.results[0].to[0].associationTypes.map((type) => type.typeId).sort(), [1, 279]);
    const back = await basicApi.getPage("companies", company, "contacts");
    assert.equal(back.results.length, 2);
    const label = (await schema.definitionsApi.create("contacts", "companies", { label: "Boss", name: "boss" })).results[0];
    await schema.definitionsApi.update("contacts", "companies", { associationTypeId: label.typeId, label: "Chief" });
    await schema.definitionsApi.remove("contacts", "companies", label.typeId);
  },
  async lists() {
    const { listsApi, membershipsApi } = hs.crm.lists;
    const list = (await listsApi.create({ name: "Node", objectTypeId: "0-1", processingType: "MANUAL" })).list;
    const added = await membershipsApi.add(list.listId, [contact, "99999"]);
    assert.deepEqual([added.recordsIdsAdded, added.recordIdsMissing], [[contact], ["99999"]]);
    assert.equal((await membershipsApi.getPage(list.listId)).results[0].recordId, contact);
    await membershipsApi.removeAll(list.listId);
    await listsApi.remove(list.listId);
  },
  async definitions() {
    assert.ok((await hs.crm.properties.coreApi.getAll("contacts")).results.length > 10);
    await hs.crm.properties.groupsApi.create("contacts", { name: "own", label: "Own", displayOrder: -1 });
    assert.equal((await hs.crm.schemas.coreApi.getById("2-4242001")).name, "subscription");
    assert.ok((await hs.crm.pipelines.pipelinesApi.getAll("deals")).results[0].stages.length > 0);
    assert.equal((await hs.crm.owners.ownersApi.getPage()).results.length, 1);
  },
  async tokens() {
    const tokens = await new Client({ basePath: sandbox }).oauth.tokensApi.create(
      "refresh_token", undefined, undefined, "sandbox-client", "sandbox-secret", "sandbox-refresh");
    assert.equal(tokens.expiresIn, 1800);
  },
});
