"""simple-salesforce, as its documentation uses it."""

import csv
import datetime
import io
import json
import pathlib

import requests

from simple_salesforce import Salesforce, SalesforceLogin, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed, SalesforceExpiredSession, SalesforceGeneralError, SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord, SalesforceOperationError, SalesforceRefusedRequest, SalesforceResourceNotFound)

from yardstick import FOLDER, desk, equal, fault, raises, run, step

sf = None


def client():
    return Salesforce(consumer_key="sandbox-client", consumer_secret="sandbox-secret", domain="acme.my")


@step
def log_in_with_client_credentials():
    global sf
    sf = client()
    equal(sf.sf_instance, "acme.my.salesforce.com")
    with raises(SalesforceAuthenticationFailed, code="invalid_client"):
        Salesforce(consumer_key="sandbox-client", consumer_secret="wrong", domain="acme.my")


@step
def log_in_with_a_jwt_assertion():
    key = pathlib.Path(FOLDER, "jwt.key")
    by_jwt = Salesforce(username="integration@example.com", consumer_key="sandbox-client",
                        privatekey_file=str(key))
    equal(by_jwt.sf_instance, "sandbox.my.salesforce.com")  # the org's own host, not login
    by_jwt.limits()
    Salesforce(username="integration@example.com", consumer_key="sandbox-client", domain="test",
               privatekey=key.read_text()).limits()
    with raises(SalesforceAuthenticationFailed, code="invalid_grant"):
        SalesforceLogin(username="integration@example.com", consumer_key="sandbox-client",
                        privatekey_file=str(pathlib.Path(FOLDER, "stranger.key")))
    with raises(SalesforceAuthenticationFailed, code="invalid_grant"):
        SalesforceLogin(username="nobody@example.com", consumer_key="sandbox-client", privatekey_file=str(key))


@step
def use_a_session_from_elsewhere():
    other = Salesforce(instance_url=f"https://{sf.sf_instance}", session_id=sf.session_id, version="65.0")
    equal(other.Contact.describe()["name"], "Contact")
    with raises(SalesforceExpiredSession, status=401):
        Salesforce(instance="acme.my.salesforce.com", session_id="worthless").limits()


@step
def describe_the_org_and_its_objects():
    names = {item["name"]: item for item in sf.describe()["sobjects"]}
    assert {"Account", "Contact", "Lead", "Opportunity", "Subscription__c"} <= set(names)
    equal(names["Subscription__c"]["custom"], True)
    fields = {field["name"]: field for field in sf.Contact.describe()["fields"]}
    equal(fields["AccountId"]["relationshipName"], "Account")
    equal(fields["AccountId"]["referenceTo"], ["Account"])
    equal(fields["External_Id__c"]["externalId"], True)
    assert fields["LeadSource"]["picklistValues"][0]["value"]
    equal(sf.Contact.metadata()["objectDescribe"]["name"], "Contact")
    equal(sf.is_sandbox(), True)
    with raises(SalesforceResourceNotFound, status=404):
        sf.Nothing.describe()


@step
def limits_and_usage():
    assert sf.limits()["DailyApiRequests"]["Max"] > 0
    equal(sf.api_usage["api-usage"].total, 100000)


@step
def create_read_update_delete():
    made = sf.Contact.create({"LastName": "Smith", "Email": "smith@example.com"})
    equal((made["success"], made["errors"]), (True, []))
    contact = sf.Contact.get(made["id"])
    equal((contact["LastName"], contact["Name"], contact["attributes"]["type"]), ("Smith", "Smith", "Contact"))
    equal(sf.Contact.update(made["id"], {"LastName": "Jones", "FirstName": "Ann"}), 204)
    equal(sf.Contact.get(made["id"])["Name"], "Ann Jones")
    equal(sf.Contact.delete(made["id"]), 204)
    with raises(SalesforceResourceNotFound):
        sf.Contact.get(made["id"])
    with raises(SalesforceResourceNotFound):
        sf.Contact.delete(made["id"])


@step
def upsert_by_external_id():
    equal(sf.Contact.upsert("External_Id__c/227", {"LastName": "First"}), 201)
    equal(sf.Contact.upsert("External_Id__c/227", {"LastName": "Second"}), 200)
    equal(sf.Contact.get_by_custom_id("External_Id__c", "227")["LastName"], "Second")
    answer = sf.Contact.upsert("External_Id__c/227", {"LastName": "Third"}, raw_response=True).json()
    equal((answer["created"], answer["success"]), (False, True))
    with raises(SalesforceMalformedRequest, status=400):
        sf.Contact.upsert("External_Id__c/227", {"LastName": "x", "Nope__c": 1})
    with raises(SalesforceResourceNotFound):
        sf.Contact.get_by_custom_id("External_Id__c", "nobody")


@step
def an_ambiguous_key_is_more_than_one_record():
    for _ in range(2):
        sf.Contact.create({"LastName": "Twin", "External_Id__c": "twin"})
    with raises(SalesforceMoreThanOneRecord, status=300):
        sf.Contact.get_by_custom_id("External_Id__c", "twin")
    with raises(SalesforceMoreThanOneRecord, status=300):
        sf.Contact.upsert("External_Id__c/twin", {"LastName": "Other"})


@step
def relationships_by_external_id():
    sf.Account.upsert("External_Id__c/acme", {"Name": "Acme"})
    sf.Contact.upsert("External_Id__c/child", {"LastName": "Child", "Account": {"External_Id__c": "acme"}})
    found = sf.query("SELECT LastName, Account.Name FROM Contact WHERE External_Id__c = 'child'")["records"]
    equal(found[0]["Account"]["Name"], "Acme")
    sf.Subscription__c.upsert("Number__c/S-1", {"Name": "Gold", "Account__r": {"External_Id__c": "acme"}})
    equal(sf.query("SELECT Account__r.Name FROM Subscription__c")["records"][0]["Account__r"]["Name"], "Acme")
    with raises(SalesforceMalformedRequest):
        sf.Contact.upsert("External_Id__c/orphan", {"LastName": "O", "Account": {"External_Id__c": "none"}})


@step
def refused_rows_carry_the_code():
    for values, code in (({"FirstName": "only"}, "REQUIRED_FIELD_MISSING"),
                         ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
                         ({"LastName": "x", "Email": "nope"}, "INVALID_EMAIL_ADDRESS"),
                         ({"LastName": "x", "Health__c": "splendid"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
                         ({"LastName": "x", "CreatedDate": "2026-01-01T00:00:00Z"},
                          "INVALID_FIELD_FOR_INSERT_UPDATE")):
        try:
            sf.Contact.create(values)
            raise AssertionError(f"{values} was taken")
        except SalesforceMalformedRequest as refused:
            equal(refused.content[0]["errorCode"], code)
    sf.Subscription__c.create({"Name": "A", "Number__c": "unique"})
    with raises(SalesforceMalformedRequest):
        sf.Subscription__c.create({"Name": "B", "Number__c": "unique"})


@step
def queries():
    for number in range(30):
        sf.Contact.create({"LastName": f"Query {number:02}", "Lead_Score__c": number, "Department": "Q"})
    equal(sf.query("SELECT Id FROM Contact WHERE Department = 'Q'")["totalSize"], 30)
    everything = sf.query_all("SELECT Id, LastName FROM Contact WHERE Department = 'Q' ORDER BY LastName DESC")
    equal((everything["done"], everything["records"][0]["LastName"]), (True, "Query 29"))
    equal(len(list(sf.query_all_iter("SELECT Id FROM Contact WHERE Lead_Score__c >= 10 AND Lead_Score__c < 20 "
                                     "AND Department = 'Q'"))), 10)
    for where, count in (("LastName LIKE 'Query 0%'", 10),
                         ("(Lead_Score__c = 1 OR Lead_Score__c = 2) AND Department = 'Q'", 2),
                         ("NOT Lead_Score__c > 4 AND Department = 'Q'", 5),
                         ("Department = 'Q' AND CreatedDate > 2020-01-01T00:00:00Z LIMIT 7", 7),
                         ("Id IN (SELECT Id FROM Contact WHERE LastName = 'Query 07')", 1)):
        equal(len(sf.query(f"SELECT Id FROM Contact WHERE {where}")["records"]), count)
    equal(sf.query("SELECT COUNT() FROM Contact WHERE Department = 'Q'")["totalSize"], 30)
    equal(sf.query("SELECT COUNT(Id) FROM Contact WHERE Department = 'Q'")["records"][0]["expr0"], 30)
    equal(sf.query(format_soql("SELECT Id FROM Contact WHERE LastName = {}", "Query 03"))["totalSize"], 1)
    with raises(SalesforceMalformedRequest):
        sf.query("SELECT Nope FROM Contact")
    with raises(SalesforceMalformedRequest):
        sf.query("SELEKT Id FROM Contact")


@step
def pages_of_a_query():
    for number in range(0, 200, 100):
        sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": [
            {"attributes": {"type": "Lead"}, "LastName": f"L{number + i}", "Company": "C"} for i in range(100)]})
    sf.restful("composite/sobjects", method="POST", json={"records": [
        {"attributes": {"type": "Lead"}, "LastName": "Last", "Company": "C"}]})
    page = sf.query("SELECT Id FROM Lead", headers={"Sforce-Query-Options": "batchSize=200"})
    equal((page["totalSize"], page["done"], len(page["records"])), (201, False, 200))
    rest = sf.query_more(page["nextRecordsUrl"], identifier_is_url=True)
    equal((rest["done"], len(rest["records"])), (True, 1))
    locator = page["nextRecordsUrl"].rsplit("/", 1)[1]
    equal(len(sf.query_more(locator)["records"]), 1)


@step
def deleted_rows_are_still_found_by_query_all():
    made = sf.Account.create({"Name": "Short-lived"})["id"]
    sf.Account.delete(made)
    equal(sf.query("SELECT Id FROM Account WHERE Name = 'Short-lived'")["totalSize"], 0)
    found = sf.query("SELECT Id, IsDeleted FROM Account WHERE Name = 'Short-lived'", include_deleted=True)
    equal(found["records"][0]["IsDeleted"], True)
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    assert made in {item["id"] for item in sf.Account.deleted(now - day, now + day)["deletedRecords"]}
    assert sf.Contact.updated(now - day, now + day)["ids"]


@step
def collections():
    rows = [{"attributes": {"type": "Contact"}, "External_Id__c": f"c{i}", "LastName": f"C{i}"} for i in range(200)]
    rows[7]["Email"] = "nope"
    done = sf.restful("composite/sobjects/Contact/External_Id__c", method="PATCH",
                      json={"allOrNone": False, "records": rows})
    equal(len(done), 200)
    equal([row["success"] for row in done].count(False), 1)
    equal(done[7]["errors"][0]["statusCode"], "INVALID_EMAIL_ADDRESS")
    equal(done[0]["created"], True)
    ids = [row["id"] for row in done if row["success"]][:3]
    updated = sf.restful("composite/sobjects", method="PATCH", json={"records": [
        {"attributes": {"type": "Contact"}, "id": ids[0], "Title": "Boss", "Phone": None}]})
    equal(updated[0]["success"], True)
    read = sf.restful("composite/sobjects/Contact", params={"ids": ",".join(ids), "fields": "Id,Title"})
    equal(read[0]["Title"], "Boss")
    gone = sf.restful("composite/sobjects", method="DELETE", params={"ids": ",".join(ids), "allOrNone": "true"})
    equal([row["success"] for row in gone], [True, True, True])
    with raises(SalesforceMalformedRequest):
        sf.restful("composite/sobjects/Contact/External_Id__c", method="PATCH",
                   json={"records": rows + rows[:1]})


@step
def composite_envelopes():
    base = f"/services/data/v{sf.sf_version}"
    answer = sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": [
        {"method": "POST", "url": f"{base}/sobjects/Account", "referenceId": "a", "body": {"Name": "Composite"}},
        {"method": "POST", "url": f"{base}/sobjects/Contact", "referenceId": "c",
         "body": {"LastName": "Of composite", "AccountId": "@{a.id}"}},
        {"method": "GET", "url": f"{base}/sobjects/Contact/@{{c.id}}", "referenceId": "r"}]})
    parts = {part["referenceId"]: part for part in answer["compositeResponse"]}
    equal([parts[name]["httpStatusCode"] for name in "acr"], [201, 201, 200])
    equal(parts["r"]["body"]["AccountId"], parts["a"]["body"]["id"])
    heavy = [{"method": "PATCH", "url": f"{base}/composite/sobjects/Contact/External_Id__c", "referenceId": f"h{i}",
              "body": {"records": [{"attributes": {"type": "Contact"}, "External_Id__c": f"h{i}", "LastName": "H"}]}}
             for i in range(6)]
    equal(len(sf.restful("composite", method="POST",
                         json={"compositeRequest": heavy[:5]})["compositeResponse"]), 5)
    with raises(SalesforceMalformedRequest):
        sf.restful("composite", method="POST", json={"compositeRequest": heavy})


def results(text):
    return list(csv.DictReader(io.StringIO(text)))


@step
def bulk_2_insert_update_upsert_delete():
    people = [{"External_Id__c": f"b{i}", "LastName": f"Bulk {i}", "Title": "New", "Phone": "5"} for i in range(250)]
    people[3]["Email"] = "nope"
    job = sf.bulk2.Contact.insert(records=people, wait=0)[0]
    equal((job["numberRecordsProcessed"], job["numberRecordsFailed"], job["numberRecordsTotal"]), (250, 1, 250))
    files = sf.bulk2.Contact.get_all_ingest_records(job["job_id"])
    equal((len(files["successfulRecords"]), len(files["failedRecords"])), (249, 1))
    equal(files["failedRecords"][0]["sf__Error"].split(":")[0], "INVALID_EMAIL_ADDRESS")
    assert files["successfulRecords"][0]["sf__Id"].startswith("003")
    assert [row["External_Id__c"] for row in files["successfulRecords"]] != sorted(
        (row["External_Id__c"] for row in files["successfulRecords"]), key=lambda key: int(key[1:]))
    changes = [{"External_Id__c": "b0", "LastName": "Changed", "Title": "", "Phone": "#N/A"},
               {"External_Id__c": "new", "LastName": "Made", "Title": "", "Phone": ""}]
    job = sf.bulk2.Contact.upsert(records=changes, external_id_field="External_Id__c", wait=0)[0]
    created = {row["External_Id__c"]: row["sf__Created"]
               for row in results(sf.bulk2.Contact.get_successful_records(job["job_id"]))}
    equal(created, {"b0": "false", "new": "true"})
    kept = sf.Contact.get_by_custom_id("External_Id__c", "b0")
    equal((kept["LastName"], kept["Title"], kept["Phone"]), ("Changed", "New", None))
    row = {"Id": kept["Id"], "Title": "Updated"}
    equal(sf.bulk2.Contact.update(records=[row], wait=0)[0]["numberRecordsFailed"], 0)
    equal(sf.bulk2.Contact.delete(records=[{"Id": kept["Id"]}], wait=0)[0]["numberRecordsFailed"], 0)
    equal(sf.bulk2.Contact.hard_delete(records=[{"Id": sf.Contact.get_by_custom_id("External_Id__c", "new")["Id"]}],
                                       wait=0)[0]["numberRecordsFailed"], 0)
    equal(results(sf.bulk2.Contact.get_unprocessed_records(job["job_id"])), [])


@step
def bulk_2_by_a_file_with_another_delimiter_and_parents():
    path = pathlib.Path(FOLDER, "contacts.csv")
    path.write_bytes(b"External_Id__c;LastName;Account.External_Id__c\r\nf1;\"Semi;colon\";acme\r\nf2;Two;none\r\n")
    job = sf.bulk2.Contact.upsert(str(path), external_id_field="External_Id__c", column_delimiter="SEMICOLON",
                                  line_ending="CRLF", wait=0)[0]
    equal((job["numberRecordsProcessed"], job["numberRecordsFailed"]), (2, 1))
    found = sf.query("SELECT LastName, Account.Name FROM Contact WHERE External_Id__c = 'f1'")["records"][0]
    equal((found["LastName"], found["Account"]["Name"]), ("Semi;colon", "Acme"))


@step
def bulk_2_query():
    pages = list(sf.bulk2.Contact.query("SELECT Id, LastName, External_Id__c FROM Contact "
                                        "WHERE LastName LIKE 'Bulk%'", max_records=100, wait=0))
    equal(len(pages), 3)
    rows = [row for page in pages for row in results(page)]
    equal(len(rows), len({row["Id"] for row in rows}))
    equal(len(rows), 248)
    path = sf.bulk2.Contact.download("SELECT Id FROM Contact WHERE LastName LIKE 'Bulk%'", FOLDER, wait=0)
    equal(sum(item["number_of_records"] for item in path), 248)
    with raises(SalesforceMalformedRequest):
        list(sf.bulk2.Contact.query("SELECT Nope FROM Contact", wait=0))


@step
def bulk_2_step_by_step():
    base = f"https://{sf.sf_instance}/services/data/v{sf.sf_version}/"
    headers = {"Authorization": f"Bearer {sf.session_id}"}
    job = {"object": "Contact", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}
    both = requests.post(base + "jobs/ingest", headers=headers, timeout=30, files={
        "job": (None, json.dumps(job), "application/json"),
        "content": ("content", "LastName,Department\nOne,Multipart\nTwo,Multipart\n", "text/csv")})
    equal((both.status_code, both.json()["state"]), (200, "UploadComplete"))
    assert both.headers["Sforce-Limit-Info"].startswith("api-usage="), both.headers
    path = f"jobs/ingest/{both.json()['id']}"
    while sf.restful(path)["state"] != "JobComplete":
        pass
    equal(sf.query("SELECT COUNT() FROM Contact WHERE Department = 'Multipart'")["totalSize"], 2)
    equal(sf.bulk2.Contact.get_failed_records(both.json()["id"]).splitlines(),
          ["sf__Id,sf__Error,LastName,Department"])
    given_up = sf.restful("jobs/ingest", method="POST", json=job)["id"]
    equal(sf.restful(f"jobs/ingest/{given_up}", method="PATCH", json={"state": "Aborted"})["state"], "Aborted")
    known = sf.restful("jobs/ingest")
    assert known["done"] and {given_up, both.json()["id"]} <= {one["id"] for one in known["records"]}
    equal(requests.delete(base + f"jobs/ingest/{given_up}", headers=headers, timeout=30).status_code, 204)
    assert {one["jobType"] for one in sf.restful("jobs/query")["records"]} == {"V2Query"}


@step
def days_by_their_names():
    today = sf.query("SELECT COUNT() FROM Contact WHERE CreatedDate = LAST_N_DAYS:1")["totalSize"]
    equal(today, sf.query("SELECT COUNT() FROM Contact")["totalSize"])
    equal(sf.query("SELECT COUNT() FROM Contact WHERE CreatedDate < LAST_WEEK")["totalSize"], 0)
    equal(sf.oauth2("userinfo")["preferred_username"], "integration@example.com")


@step
def the_older_bulk_api():
    rows = [{"External_Id__c": f"o{i}", "LastName": f"Old {i}"} for i in range(20)] + [{"External_Id__c": "o99"}]
    done = sf.bulk.Contact.upsert(rows, "External_Id__c")  # the library waits five seconds between polls
    equal([row["success"] for row in done], [True] * 20 + [False])
    equal(done[20]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING")
    ids = [{"Id": row["id"]} for row in done[:20]]
    equal({row["success"] for row in sf.bulk.Contact.delete(ids)}, {True})
    equal(sf.query("SELECT COUNT() FROM Contact WHERE LastName LIKE 'Old%'")["totalSize"], 0)


@step
def bulk_2_jobs_fail_as_a_whole():
    with raises(SalesforceOperationError):
        sf.bulk2.Contact.insert(records=[{"Nope": "1"}], wait=0)
    with raises(SalesforceMalformedRequest):
        sf.bulk2.Contact.upsert(records=[{"LastName": "x"}], external_id_field="Phone", wait=0)


@step
def errors_raise_the_librarys_own_exceptions():
    fault("salesforce.quota")
    with raises(SalesforceRefusedRequest, status=403):
        sf.limits()
    fault("salesforce.http_500")
    with raises(SalesforceGeneralError, status=500):
        sf.limits()
    before = sf.session_id
    fault("salesforce.expire_token")
    sf.limits()  # the library asks for a new token and repeats the call
    assert sf.session_id != before


@step
def the_desk_knows_what_was_applied():
    stats = desk("GET", "stats")["salesforce"]
    assert stats["created"] > 500 and stats["jobs"] >= 6, stats
    equal(desk("GET", "salesforce/Contact?key=External_Id__c:f1")["records"][0]["_writes"], 1)


if __name__ == "__main__":
    run()
