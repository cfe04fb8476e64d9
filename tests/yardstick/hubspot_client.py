"""hubspot-api-client, as its documentation uses it."""

import hubspot
from hubspot.crm import associations, companies, contacts, lists, objects, properties, schemas
from hubspot.crm.associations.v4 import models as links
from hubspot.crm.contacts import models as rows
from hubspot.oauth import ApiException as OAuthException

from yardstick import CERTIFICATE, PROXY, desk, equal, fault, raises, run, step

hs = None
made = {}


def client(token):
    return hubspot.Client.create(access_token=token, ssl_ca_cert=CERTIFICATE, proxy=PROXY)


def contact(email, **values):
    return rows.SimplePublicObjectInputForCreate(properties={"email": email, **values}, associations=[])


@step
def log_in_with_a_private_app():
    global hs
    hs = client("pat-sandbox-token")
    equal(hs.crm.contacts.basic_api.get_page().results, [])
    with raises(contacts.ApiException, status=401):
        client("wrong").crm.contacts.basic_api.get_page()


@step
def log_in_with_oauth():
    tokens = client(None).oauth.tokens_api.create(
        grant_type="refresh_token", client_id="sandbox-client", client_secret="sandbox-secret",
        refresh_token="sandbox-refresh")
    equal((tokens.expires_in, tokens.token_type), (1800, "bearer"))
    app = client(tokens.access_token)
    equal(app.crm.contacts.basic_api.get_page().results, [])
    equal(app.oauth.access_tokens_api.get(tokens.access_token).hub_id, 4242)
    by_code = app.oauth.tokens_api.create(
        grant_type="authorization_code", client_id="sandbox-client", client_secret="sandbox-secret", code="abc",
        redirect_uri="https://example.com")
    assert by_code.refresh_token
    with raises(OAuthException, status=400):
        app.oauth.tokens_api.create(grant_type="refresh_token", client_id="sandbox-client",
                                    client_secret="wrong", refresh_token="sandbox-refresh")
    fault("hubspot.expire_token")
    with raises(contacts.ApiException, status=401):
        app.crm.contacts.basic_api.get_page()
    with raises(contacts.ApiException, status=401):  # a static token is refused once
        hs.crm.contacts.basic_api.get_page()


@step
def create_read_update_archive():
    api = hs.crm.contacts.basic_api
    one = api.create(contact("Ann@Example.com", firstname="Ann", lead_score="7"))
    equal((one.properties["email"], one.properties["firstname"]), ("ann@example.com", "Ann"))
    equal(api.get_by_id(one.id, properties=["lead_score", "no_such"]).properties["lead_score"], "7")
    equal(api.get_by_id("ann@example.com", id_property="email").id, one.id)
    changed = api.update(one.id, rows.SimplePublicObjectInput(properties={"firstname": "Anna", "lead_score": ""}))
    equal(changed.properties["firstname"], "Anna")
    history = api.get_by_id(one.id, properties_with_history=["firstname"]).properties_with_history
    equal(history["firstname"][0].value, "Anna")
    with raises(contacts.ApiException, status=409):
        api.create(contact("ANN@example.com"))
    api.archive(one.id)
    with raises(contacts.ApiException, status=404):
        api.get_by_id(one.id)
    equal(api.get_by_id(one.id, archived=True).archived, True)


@step
def validation_names_the_property():
    for values in ({"nope": "1"}, {"lifecyclestage": "king"}, {"lead_score": "many"}, {"hs_object_id": "1"},
                   {"at_risk": "maybe"}, {"last_seen_at": "yesterday"}, {"email": "nobody"}):
        with raises(contacts.ApiException, status=400):
            hs.crm.contacts.basic_api.create(contact(values.pop("email", "v@example.com"), **values))
    equal(hs.crm.contacts.search_api.do_search(rows.PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "email", "operator": "EQ", "value": "v@example.com"}]}])).total, 0)


@step
def batches():
    api = hs.crm.contacts.batch_api
    created = api.create(rows.BatchInputSimplePublicObjectBatchInputForCreate(inputs=[
        {"properties": {"email": f"b{i}@example.com"}, "associations": [], "objectWriteTraceId": str(i)}
        for i in range(100)]))
    equal((created.status, len(created.results)), ("COMPLETE", 100))
    traces = [result.object_write_trace_id for result in created.results]
    assert traces != sorted(traces, key=int) and sorted(traces, key=int) == [str(i) for i in range(100)]
    upserted = api.upsert(rows.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[
        {"id": "b0@example.com", "idProperty": "email", "properties": {"firstname": "Old"}},
        {"id": "new@example.com", "idProperty": "email", "properties": {"firstname": "New"}}]))
    equal({result.properties["email"]: result.new for result in upserted.results},
          {"b0@example.com": False, "new@example.com": True})
    ids = {result.properties["email"]: result.id for result in created.results}
    made.update(ids)
    updated = api.update(rows.BatchInputSimplePublicObjectBatchInput(inputs=[
        {"id": ids["b1@example.com"], "properties": {"firstname": "One"}, "objectWriteTraceId": "a"},
        {"id": "999999", "properties": {"firstname": "None"}, "objectWriteTraceId": "b"}]))
    equal((len(updated.results), updated.num_errors, updated.errors[0].category), (1, 1, "OBJECT_NOT_FOUND"))
    equal(updated.errors[0].context["objectWriteTraceId"], ["b"])
    read = api.read(rows.BatchReadInputSimplePublicObjectId(
        inputs=[{"id": "b1@example.com"}, {"id": "nobody@example.com"}], id_property="email",
        properties=["firstname"], properties_with_history=[]))
    equal((read.results[0].properties["firstname"], read.num_errors), ("One", 1))
    api.archive(rows.BatchInputSimplePublicObjectId(inputs=[{"id": ids["b99@example.com"]}]))
    with raises(contacts.ApiException, status=400):
        api.upsert(rows.BatchInputSimplePublicObjectBatchInputUpsert(
            inputs=[{"id": "x@example.com", "idProperty": "email", "properties": {}}] * 2))
    with raises(contacts.ApiException, status=400):
        api.create(rows.BatchInputSimplePublicObjectBatchInputForCreate(
            inputs=[{"properties": {"email": f"c{i}@example.com"}, "associations": []} for i in range(101)]))


@step
def pages_and_search():
    equal(len(hs.crm.contacts.get_all()), 100)
    page = hs.crm.contacts.basic_api.get_page(limit=60, properties=["email"])
    equal((len(page.results), page.paging.next.after is not None), (60, True))
    equal(len(hs.crm.contacts.basic_api.get_page(limit=60, after=page.paging.next.after).results), 40)
    found = hs.crm.contacts.search_api.do_search(rows.PublicObjectSearchRequest(
        query="b1", limit=5, sorts=[{"propertyName": "email", "direction": "DESCENDING"}], properties=["email"]))
    equal((found.total, found.results[0].properties["email"]), (11, "b1@example.com"))
    with raises(contacts.ApiException, status=400):
        hs.crm.contacts.search_api.do_search(rows.PublicObjectSearchRequest(
            filter_groups=[{"filters": [{"propertyName": "nope", "operator": "EQ", "value": "1"}]}]))


@step
def companies_deals_and_tickets():
    company = hs.crm.companies.basic_api.create(companies.SimplePublicObjectInputForCreate(
        properties={"name": "Acme", "domain": "acme.example.com"}, associations=[]))
    made["company"] = company.id
    deal = hs.crm.deals.basic_api.create({"properties": {"dealname": "Big", "dealstage": "qualifiedtobuy",
                                                        "pipeline": "default", "amount": "10.5"}, "associations": [
        {"to": {"id": company.id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}]}]})
    read = hs.crm.deals.basic_api.get_by_id(deal.id, associations=["companies"])
    equal(read.associations["companies"].results[0].id, company.id)
    ticket = hs.crm.tickets.basic_api.create({"properties": {"subject": "Help", "hs_pipeline_stage": "1"},
                                              "associations": []})
    hs.crm.tickets.basic_api.update(ticket.id, {"properties": {"hs_ticket_priority": "HIGH"}})
    hs.crm.tickets.basic_api.archive(ticket.id)
    equal(hs.crm.objects.basic_api.get_by_id("companies", company.id).properties["name"], "Acme")
    upserted = hs.crm.companies.batch_api.upsert(companies.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[
        {"id": "ext-1", "idProperty": "external_id", "properties": {"name": "By unique property"}}]))
    equal(upserted.results[0].new, True)
    with raises(companies.ApiException, status=400):
        hs.crm.companies.batch_api.upsert(companies.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[
            {"id": "acme.example.com", "idProperty": "domain", "properties": {}}]))


@step
def property_definitions():
    found = {item.name: item for item in hs.crm.properties.core_api.get_all("contacts").results}
    equal((found["lifecyclestage"].type, found["external_id"].has_unique_value), ("enumeration", True))
    equal(found["createdate"].modification_metadata.read_only_value, True)
    hs.crm.properties.core_api.create("contacts", properties.PropertyCreate(
        name="shoe", label="Shoe", type="enumeration", field_type="select", group_name="contactinformation",
        options=[{"label": "Boot", "value": "boot", "hidden": False}]))
    hs.crm.contacts.basic_api.create(contact("shoe@example.com", shoe="boot"))
    hs.crm.properties.core_api.update("contacts", "shoe", properties.PropertyUpdate(label="Shoes"))
    equal(hs.crm.properties.core_api.get_by_name("contacts", "shoe").label, "Shoes")
    hs.crm.properties.batch_api.create("contacts", properties.BatchInputPropertyCreate(inputs=[
        {"name": "hat", "label": "Hat", "type": "string", "fieldType": "text", "groupName": "contactinformation"}]))
    hs.crm.properties.core_api.archive("contacts", "shoe")
    with raises(properties.ApiException, status=404):
        hs.crm.properties.core_api.get_by_name("contacts", "shoe")
    assert hs.crm.properties.groups_api.get_all("contacts").results


@step
def custom_objects():
    names = {item.name: item for item in hs.crm.schemas.core_api.get_all().results}
    equal((names["subscription"].object_type_id, names["subscription"].required_properties),
          ("2-4242001", ["number"]))
    new = hs.crm.schemas.core_api.create(schemas.ObjectSchemaEgg(
        name="machine", labels={"singular": "Machine", "plural": "Machines"}, required_properties=["serial"],
        searchable_properties=["serial"], primary_display_property="serial", associated_objects=["CONTACT"],
        secondary_display_properties=[],
        properties=[{"name": "serial", "label": "Serial", "type": "string", "fieldType": "text",
                     "hasUniqueValue": True}]))
    api = hs.crm.objects
    one = api.basic_api.create(new.object_type_id, {"properties": {"serial": "M1"}, "associations": []})
    equal(api.basic_api.get_by_id(new.fully_qualified_name, "M1", id_property="serial").id, one.id)
    upserted = api.batch_api.upsert(new.object_type_id, objects.BatchInputSimplePublicObjectBatchInputUpsert(inputs=[
        {"id": "M1", "idProperty": "serial", "properties": {}},
        {"id": "M2", "idProperty": "serial", "properties": {}}]))
    equal(sorted(result.new for result in upserted.results), [False, True])
    with raises(objects.ApiException, status=400):
        api.basic_api.create(new.object_type_id, {"properties": {}, "associations": []})
    with raises(objects.ApiException, status=400):
        api.basic_api.create("nothing", {"properties": {}, "associations": []})
    equal(hs.crm.schemas.core_api.get_by_id("machine").id, new.id)
    made["machine"] = (new.object_type_id, one.id)


@step
def links_between_records():
    api = hs.crm.associations.v4
    person, company = made["b2@example.com"], made["company"]
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}
    done = api.batch_api.create("contacts", "companies", links.BatchInputPublicAssociationMultiPost(
        inputs=[{"from": {"id": person}, "to": {"id": company}, "types": [spec]}]))
    equal((done.status, done.results[0].to_object_id), ("COMPLETE", company))
    label = hs.api_request({"method": "POST", "path": "/crm/v4/associations/contacts/companies/labels",
                            "body": {"label": "Adviser", "name": "adviser"}}).json()["results"][0]
    api.basic_api.create("contacts", person, "companies", company,
                         [{"associationCategory": "USER_DEFINED", "associationTypeId": label["typeId"]}])
    read = api.batch_api.get_page("contacts", "companies", links.BatchInputPublicFetchAssociationsBatchRequest(
        inputs=[{"id": person}])).results[0]
    equal(sorted(kind.type_id for kind in read.to[0].association_types), sorted([279, label["typeId"]]))
    back = api.basic_api.get_page("companies", company, "contacts").results
    equal([link.to_object_id for link in back], [person])  # seen from the other side too
    equal({kind.type_id for kind in back[0].association_types}, {280, label["typeId"]})
    other = made["b3@example.com"]
    api.basic_api.create_default("contacts", other, "companies", company)
    api.batch_api.create_default("contacts", "companies", links.BatchInputPublicDefaultAssociationMultiPost(
        inputs=[{"from": {"id": made["b4@example.com"]}, "to": {"id": company}}]))
    equal(len(api.basic_api.get_page("companies", company, "contacts").results), 3)
    api.batch_api.archive_labels("contacts", "companies", links.BatchInputPublicAssociationMultiPost(inputs=[
        {"from": {"id": person}, "to": {"id": company},
         "types": [{"associationCategory": "USER_DEFINED", "associationTypeId": label["typeId"]}]}]))
    api.batch_api.archive("contacts", "companies", links.BatchInputPublicAssociationMultiArchive(
        inputs=[{"from": {"id": other}, "to": [{"id": company}]}]))
    api.basic_api.archive("contacts", person, "companies", company)
    equal(len(api.basic_api.get_page("companies", company, "contacts").results), 1)
    kind, machine = made["machine"]
    api.basic_api.create_default(kind, machine, "contacts", person)
    old = hs.crm.associations.batch_api.read("contacts", kind, associations.BatchInputPublicObjectId(
        inputs=[{"id": person}]))
    equal(old.results[0].to[0].id, machine)
    with raises(links_exception(), status=400):
        api.basic_api.create("contacts", person, "companies", company,
                             [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}])


def links_exception():
    from hubspot.crm.associations.v4 import ApiException
    return ApiException


@step
def labels_of_links():
    api = hs.crm.associations.v4.schema.definitions_api
    from hubspot.crm.associations.v4.schema import models as labels
    new = api.create("deals", "contacts", labels.PublicAssociationDefinitionCreateRequest(
        name="decider", label="Decider")).results[0]
    api.update("deals", "contacts", labels.PublicAssociationDefinitionUpdateRequest(
        association_type_id=new.type_id, label="Deciders"))
    known = {kind.type_id: kind.label for kind in api.get_all("deals", "contacts").results}
    equal((known[new.type_id], known[3]), ("Deciders", None))
    api.remove("deals", "contacts", new.type_id)
    assert new.type_id not in {kind.type_id for kind in api.get_all("deals", "contacts").results}


@step
def a_label_brings_the_default_link():
    api = hs.crm.associations.v4
    person, company = made["b5@example.com"], made["company"]
    api.basic_api.create("contacts", person, "companies", company,
                         [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}])
    there = api.basic_api.get_page("contacts", person, "companies").results[0]
    equal({kind.type_id: kind.label for kind in there.association_types}, {1: "Primary", 279: None})
    back = [link for link in api.basic_api.get_page("companies", company, "contacts").results
            if link.to_object_id == person][0]
    equal({kind.type_id: kind.label for kind in back.association_types}, {2: "Primary", 280: None})
    read = hs.crm.contacts.basic_api.get_by_id(person, associations=["companies"])
    equal(read.associations["companies"].results[0].id, company)


@step
def pipelines_owners_and_groups():
    pipeline = hs.crm.pipelines.pipelines_api.get_all("deals").results[0]
    assert "qualifiedtobuy" in {stage.id for stage in pipeline.stages}
    equal(len(hs.crm.pipelines.pipeline_stages_api.get_all("tickets", "0").results), 4)
    owner = hs.crm.owners.owners_api.get_page().results[0]
    equal(hs.crm.owners.owners_api.get_by_id(int(owner.id)).email, owner.email)
    groups = hs.crm.properties.groups_api
    groups.create("contacts", properties.PropertyGroupCreate(name="scores", label="Scores", display_order=-1))
    equal(groups.update("contacts", "scores", properties.PropertyGroupUpdate(label="Our scores")).label, "Our scores")
    groups.archive("contacts", "scores")
    with raises(properties.ApiException, status=404):
        groups.get_by_name("contacts", "scores")


@step
def a_search_that_lags_behind():
    desk("POST", "faults", {"hubspot.search_lag": {"rate": 1, "ms": 60000}})
    new = hs.crm.contacts.basic_api.create(contact("lag@example.com"))
    wanted = rows.PublicObjectSearchRequest(filter_groups=[
        {"filters": [{"propertyName": "email", "operator": "EQ", "value": "lag@example.com"}]}])
    equal(hs.crm.contacts.search_api.do_search(wanted).total, 0)
    read = hs.crm.contacts.batch_api.read(rows.BatchReadInputSimplePublicObjectId(
        inputs=[{"id": "lag@example.com"}], id_property="email", properties=[], properties_with_history=[]))
    equal([row.id for row in read.results], [new.id])
    desk("POST", "faults", {"hubspot.search_lag": 0})
    equal(hs.crm.contacts.search_api.do_search(wanted).total, 1)


@step
def list_memberships():
    api = hs.crm.lists
    new = api.lists_api.create(lists.ListCreateRequest(name="Best", object_type_id="0-1", processing_type="MANUAL")).list
    ids = [made["b2@example.com"], made["b3@example.com"]]
    added = api.memberships_api.add(new.list_id, ids + ["999999"])
    equal((added.records_ids_added, added.record_ids_missing), (ids, ["999999"]))
    equal(len(api.memberships_api.get_page(new.list_id).results), 2)
    both = api.memberships_api.add_and_remove(new.list_id, lists.MembershipChangeRequest(
        record_ids_to_add=[made["b4@example.com"]], record_ids_to_remove=ids[:1]))
    equal((both.records_ids_added, both.record_ids_removed), ([made["b4@example.com"]], ids[:1]))
    equal(api.memberships_api.remove(new.list_id, ids[1:]).record_ids_removed, ids[1:])
    equal(api.lists_api.get_by_id(new.list_id).list.size, 1)
    copy = api.lists_api.create(lists.ListCreateRequest(name="Copy", object_type_id="0-1",
                                                        processing_type="SNAPSHOT")).list
    api.memberships_api.add_all_from_list(copy.list_id, new.list_id)
    api.memberships_api.add(copy.list_id, ids)
    page = api.memberships_api.get_page(copy.list_id, limit=2)
    equal(len(page.results), 2)
    equal(len(api.memberships_api.get_page(copy.list_id, limit=2, after=page.paging.next.after).results), 1)
    hs.crm.contacts.basic_api.archive(ids[1])
    equal({row.record_id for row in api.memberships_api.get_page(copy.list_id).results},
          {made["b4@example.com"], ids[0]})  # who is archived leaves
    api.memberships_api.remove_all(copy.list_id)
    equal(api.memberships_api.get_page(copy.list_id).results, [])
    api.lists_api.remove(copy.list_id)
    equal(api.lists_api.get_by_name("Best", "0-1").list.list_id, new.list_id)
    equal(api.lists_api.do_search(lists.ListSearchRequest(query="best", processing_types=[], list_ids=[],
                                                          additional_properties=[])).total, 1)
    equal(api.memberships_api.get_lists("0-1", made["b4@example.com"]).results[0].list_id, new.list_id)
    with raises(lists.ApiException, status=400):
        api.memberships_api.add("2", ids)  # a dynamic list
    api.lists_api.remove(new.list_id)
    with raises(lists.ApiException, status=404):
        api.lists_api.get_by_id(new.list_id)


@step
def versions_by_date():
    answer = hs.api_request({"method": "POST", "path": "/crm/objects/2026-09/contacts/batch/upsert", "body": {
        "inputs": [{"id": "d@example.com", "idProperty": "email", "properties": {}, "objectWriteTraceId": "1"},
                   {"id": "d2@example.com", "idProperty": "email", "properties": {"nope": "1"},
                    "objectWriteTraceId": "2"}]}})
    equal((answer.status_code, answer.json()["numErrors"]), (200, 1))
    equal(hs.api_request({"path": "/account-info/v3/api-usage/daily/private-apps"}).json()["results"][0]["usageLimit"],
          650000)


@step
def errors_raise_the_librarys_own_exceptions():
    for name, status in (("throttle", 429), ("throttle_legacy", 429), ("daily_limit", 429), ("http_500", 500),
                         ("locked", 423), ("missing_scopes", 403), ("migration", 477)):
        fault(f"hubspot.{name}")
        with raises(contacts.ApiException, status=status):
            hs.crm.contacts.basic_api.get_page()


@step
def the_desk_knows_what_was_applied():
    equal(desk("GET", "hubspot/contacts?key=email:b0@example.com")["records"][0]["_writes"], 2)


if __name__ == "__main__":
    run()
