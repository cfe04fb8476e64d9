"""marketorestpython, as its documentation uses it. The library allows itself five calls a second."""

import csv
import io
import pathlib

import requests
from marketorestpython.client import MarketoClient
from marketorestpython.helper.exceptions import MarketoException

from yardstick import FOLDER, desk, equal, fault, raises, run, step

mkto = None
made = {}
HOST = "https://123-ABC-456.mktorest.com"


def client():
    return MarketoClient("123-ABC-456", "sandbox-client", "sandbox-secret", max_retry_time=8)


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except Exception as raised:  # execute() wraps the library's exception into {message, code}
        equal(raised.code if isinstance(raised, MarketoException) else raised.args[0]["code"], code)
        return
    raise AssertionError(f"{code} was not raised")


@step
def log_in():
    global mkto
    mkto = client()
    mkto.authenticate()
    equal((mkto.token_type, mkto.expires_in), ("bearer", 3600))
    other = client()
    other.authenticate()
    equal(other.token, mkto.token)  # asked early: the same one
    assert other.expires_in <= 3600
    with raises(Exception):
        MarketoClient("123-ABC-456", "sandbox-client", "wrong").authenticate()


@step
def describe():
    fields = {item["rest"]["name"]: item for item in mkto.execute(method="describe")}
    equal((fields["email"]["dataType"], fields["email"]["length"], fields["id"]["rest"]["readOnly"]),
          ("email", 255, True))
    equal(mkto.execute(method="describe2")[0]["searchableFields"], [["id"], ["email"], ["externalId"]])


@step
def leads():
    rows = [{"email": f"l{i}@example.com", "firstName": f"L{i}", "leadScore": i, "externalId": f"x{i}"}
            for i in range(300)]
    done = mkto.execute(method="create_update_leads", leads=rows, action="createOrUpdate", lookupField="email")
    equal({row["status"] for row in done}, {"created"})
    made["ids"] = [row["id"] for row in done]
    mixed = mkto.execute(method="create_update_leads", leads=[
        {"email": "L0@example.com", "title": "Boss"}, {"email": "nobody"}, {"email": "n@example.com", "shoe": 1},
        {"firstName": "No key"}, {"email": "n2@example.com", "leadScore": "many"},
        {"email": "L0@example.com", "title": "Twice"}, {"email": "n3@example.com", "company": "Acme"}])
    equal([row["reasons"][0]["code"] if row["status"] == "skipped" else row["status"] for row in mixed],
          ["updated", "1001", "1006", "1002", "1001", "1036", "1021"])
    equal(mkto.execute(method="create_update_leads", leads=[{"id": made["ids"][1], "title": "By id"}],
                       action="updateOnly", lookupField="id")[0]["status"], "updated")
    equal(mkto.execute(method="create_update_leads", leads=[{"externalId": "x2", "title": None}],
                       lookupField="externalId")[0]["status"], "updated")
    only = mkto.execute(method="create_update_leads", leads=[{"email": "l1@example.com"}], action="createOnly")
    equal(only[0]["reasons"][0]["code"], "1005")
    refused("1003", mkto.execute, method="create_update_leads", leads=rows + rows[:1])
    refused("1003", mkto.execute, method="create_update_leads", leads=rows[:1], lookupField="id")


@step
def lookups():
    equal(mkto.execute(method="get_lead_by_id", id=made["ids"][0], fields=["email", "title"])[0]["title"], "Boss")
    refused("1004", mkto.execute, method="get_lead_by_id", id=5)
    found = mkto.execute(method="get_multiple_leads_by_filter_type", filterType="email",
                         filterValues=[f"l{i}@example.com" for i in range(10)] + ["nobody@example.com"],
                         fields=["email"], batchSize=4)
    equal(sorted(row["email"].lower() for row in found), [f"l{i}@example.com" for i in range(10)])
    refused("1003", mkto.execute, method="get_multiple_leads_by_filter_type", filterType="title",
            filterValues=["Boss"])


@step
def partitions():
    equal([item["name"] for item in mkto.execute(method="get_lead_partitions")], ["Default", "Europe"])
    equal(mkto.execute(method="create_update_leads", leads=[{"email": "e@example.com"}],
                       partitionName="Europe")[0]["status"], "created")
    equal(mkto.execute(method="create_update_leads", leads=[{"email": "e2@example.com"}],
                       partitionName="Nowhere")[0]["reasons"][0]["code"], "1008")
    equal(mkto.execute(method="update_leads_partition",
                       input=[{"id": made["ids"][5], "partitionName": "Europe"}])[0]["status"], "updated")


@step
def static_lists():
    made["list"] = mkto.execute(method="create_list", name="Best", folderId=1, folderType="Folder")[0]["id"]
    equal(mkto.execute(method="get_list_by_name", name="Best")[0]["id"], made["list"])
    equal({item["name"] for item in mkto.execute(method="get_multiple_lists")}, {"Sandbox list", "Best"})
    ids = made["ids"][:3]
    equal([row["status"] for row in mkto.execute(method="add_leads_to_list", listId=made["list"], id=ids + [5])],
          ["added", "added", "added", "skipped"])
    equal(mkto.execute(method="member_of_list", listId=made["list"], id=ids[:1])[0]["status"], "memberof")
    equal(len(mkto.execute(method="get_multiple_leads_by_list_id", listId=made["list"], fields=["email"])), 3)
    equal(mkto.execute(method="remove_leads_from_list", listId=made["list"], id=ids[:1])[0]["status"], "removed")
    equal(mkto.execute(method="remove_leads_from_list", listId=made["list"],
                       id=ids[:1])[0]["reasons"][0]["code"], "1015")
    refused("1013", mkto.execute, method="add_leads_to_list", listId=77, id=ids)


@step
def members_of_programs():
    program = mkto.execute(method="get_program_by_name", name="Sandbox program")[0]["id"]
    ids = made["ids"][:2]
    done = mkto.execute(method="change_lead_program_status", id=program, leadIds=ids + [5], status="Invited")
    equal([row["status"] for row in done], ["created", "created", "skipped"])
    found = mkto.execute(method="get_multiple_leads_by_program_id", programId=program, fields=["email"])
    equal({row["membership"]["progressionStatus"] for row in found}, {"Invited"})
    rows = mkto.execute(method="sync_program_member_data", id=program, input=[
        {"leadId": ids[0], "registrationCode": "abc"}, {"leadId": made["ids"][9], "registrationCode": "x"}])
    equal([row["status"] for row in rows], ["updated", "skipped"])
    fields = mkto.execute(method="describe_program_member")[0]
    equal(fields["dedupeFields"], ["leadId", "programId"])
    headers = {"Authorization": "Bearer " + mkto.token}  # the library knows the older call only
    base = f"{HOST}/rest/v1/programs/{program}/members"
    changed = requests.post(base + "/status.json", headers=headers, timeout=30,
                            json={"statusName": "Attended", "input": [{"leadId": ids[1]}]}).json()["result"]
    equal(changed, [{"seq": 0, "leadId": ids[1], "status": "updated"}])
    attended = requests.get(base + ".json", headers=headers, timeout=30, params={
        "filterType": "statusName", "filterValues": "Attended", "fields": "statusName"}).json()["result"]
    equal([(row["leadId"], row["reachedSuccess"]) for row in attended], [(ids[1], True)])
    gone = requests.post(base + "/delete.json", headers=headers, timeout=30,
                         json={"input": [{"leadId": ids[0]}]}).json()["result"]
    equal(gone[0]["status"], "deleted")


@step
def companies_opportunities_and_roles():
    equal(mkto.execute(method="describe_company")[0]["dedupeFields"], ["externalCompanyId"])
    done = mkto.execute(method="create_update_companies", input=[
        {"externalCompanyId": "c1", "company": "Acme"}, {"company": "No key"}], action="createOrUpdate",
        dedupeBy="dedupeFields")
    equal([(row["seq"], row["status"]) for row in done], [(0, "created"), (1, "skipped")])
    equal(mkto.execute(method="get_companies", filterType="externalCompanyId", filterValues=["c1"],
                       fields=["company"])[0]["company"], "Acme")
    by_id = mkto.execute(method="create_update_companies", input=[{"id": done[0]["id"], "industry": "Steel"}],
                         action="updateOnly", dedupeBy="idField")
    equal(by_id[0]["status"], "updated")
    deal = mkto.execute(method="create_update_opportunities", input=[
        {"externalOpportunityId": "o1", "name": "Big", "amount": 12.5, "isWon": True}])[0]
    assert deal["marketoGUID"]
    role = {"externalOpportunityId": "o1", "leadId": made["ids"][0], "role": "Buyer"}
    equal(mkto.execute(method="create_update_opportunities_roles",
                       input=[role, {**role, "leadId": 5}, {**role, "externalOpportunityId": "none"}])[0]["status"],
          "created")
    equal(mkto.execute(method="get_opportunity_roles", filterType="leadId",
                       filterValues=[str(made["ids"][0])], fields=["role"])[0]["role"], "Buyer")
    equal(mkto.execute(method="delete_opportunity_roles", input=[role])[0]["status"], "deleted")
    equal(mkto.execute(method="delete_opportunities", input=[{"externalOpportunityId": "zz"}])[0]["reasons"][0]["code"],
          "1013")
    fault("marketo.crm_enabled")
    refused("1018", mkto.execute, method="create_update_companies", input=[{"externalCompanyId": "c2"}])


@step
def custom_objects():
    equal([item["name"] for item in mkto.execute(method="get_list_of_custom_objects")], ["subscription_c", "visit_c"])
    fields = {item["name"]: item for item in
              mkto.execute(method="describe_custom_object", name="subscription_c")[0]["fields"]}
    equal((fields["plan"]["length"], fields["marketoGUID"]["updateable"]), (40, False))
    done = mkto.execute(method="create_update_custom_objects", name="subscription_c", input=[
        {"subscriptionNumber": "s1", "plan": "gold", "amount": "9.5"},
        {"subscriptionNumber": "s2", "plan": "x" * 41}, {"subscriptionNumber": "s1"}], action="createOrUpdate")
    equal([row["status"] if row["status"] != "skipped" else row["reasons"][0]["code"] for row in done],
          ["created", "1001", "1036"])
    mkto.execute(method="create_update_custom_objects", name="visit_c", input=[
        {"leadEmail": "l0@example.com", "visitedOn": "2026-11-01", "pages": 3},
        {"leadEmail": "l0@example.com", "visitedOn": "2026-11-02", "pages": 4}])
    found = mkto.execute(method="get_custom_objects", name="visit_c", filterType="dedupeFields",
                         input=[{"leadEmail": "L0@example.com", "visitedOn": "2026-11-02"}], fields=["pages"])
    equal([row["pages"] for row in found], [4])
    equal(mkto.execute(method="delete_custom_objects", name="subscription_c",
                       input=[{"marketoGUID": done[0]["marketoGUID"]}], deleteBy="idField")[0]["status"], "deleted")
    refused("1013", mkto.execute, method="create_update_custom_objects", name="shoe_c", input=[{"a": 1}])


@step
def named_accounts():
    headers = {"Authorization": "Bearer " + mkto.token}  # the library reads them only
    done = requests.post(HOST + "/rest/v1/namedaccounts.json", headers=headers, timeout=30,
                         json={"input": [{"name": "Acme", "domainName": "acme.example.com"}]}).json()
    equal(done["result"][0]["status"], "created")
    found = mkto.execute(method="get_named_accounts", filterType="name", filterValues=["Acme"], fields=["domainName"])
    rows = [row for page in found for row in page]
    equal(rows[0]["domainName"], "acme.example.com")


def finished(batch):
    while True:
        status = mkto.execute(method="get_import_lead_status", id=batch)[0]
        if status["status"] in ("Complete", "Failed"):
            return status


@step
def bulk_import_of_leads():
    path = pathlib.Path(FOLDER, "leads.csv")
    path.write_text("email,firstName,leadScore\n" + "".join(f"i{i}@example.com,\"I, {i}\",{i}\n" for i in range(50)) +
                    "bad,B,1\nl0@example.com,,many\n")
    fault("marketo.bulk_warning")
    job = mkto.execute(method="import_lead", file=str(path), format="csv", lookupField="email", listId=made["list"])[0]
    status = finished(job["batchId"])
    equal((status["status"], status["numOfLeadsProcessed"], status["numOfRowsFailed"], status["numOfRowsWithWarning"]),
          ("Complete", 50, 2, 1))
    failures = list(csv.reader(io.StringIO(mkto.execute(method="get_import_failure_file", id=job["batchId"]))))
    equal(failures[0], ["email", "firstName", "leadScore", "Import Failure Reason"])
    equal(sorted(row[0] for row in failures[1:]), ["bad", "l0@example.com"])
    warnings = list(csv.reader(io.StringIO(mkto.execute(method="get_import_warning_file", id=job["batchId"]))))
    equal(len(warnings), 2)
    equal(len(mkto.execute(method="get_multiple_leads_by_list_id", listId=made["list"])), 52)


@step
def bulk_import_of_custom_objects():
    headers = {"Authorization": "Bearer " + mkto.token}  # the library imports leads only
    base = HOST + "/bulk/v1/customobjects/subscription_c/import"
    job = requests.post(base + ".json?format=csv", headers=headers, timeout=30, files={
        "file": ("s.csv", "subscriptionNumber,plan\nb1,gold\nb2," + "x" * 41 + "\n", "text/csv")}).json()["result"][0]
    equal((job["status"], job["objectApiName"]), ("Queued", "subscription_c"))
    status = {}
    while status.get("status") not in ("Complete", "Failed"):
        status = requests.get(f"{base}/{job['batchId']}/status.json", headers=headers, timeout=30).json()["result"][0]
    equal((status["numOfObjectsProcessed"], status["numOfRowsFailed"]), (1, 1))
    failures = requests.get(f"{base}/{job['batchId']}/failures.json", headers=headers, timeout=30).text
    assert failures.splitlines()[1].startswith("b2,"), failures


@step
def deleting():
    equal([row["status"] for row in mkto.execute(method="delete_lead", id=[made["ids"][9], 5])], ["deleted", "skipped"])
    equal(mkto.execute(method="delete_list", id=made["list"])[0]["id"], made["list"])


@step
def usage_and_errors():
    day = mkto.execute(method="get_daily_usage")[0]
    equal(day["total"], day["users"][0]["count"])
    assert {item["errorCode"] for item in mkto.execute(method="get_daily_errors")[0]["errors"]} >= {"1003", "1013"}
    fault("marketo.invalid_token")
    assert mkto.execute(method="describe")  # 601: the library repeats the call
    fault("marketo.expire_token")
    refused("602", mkto.describe)
    mkto.valid_until = None  # the library trusts expires_in, so it has to be told
    assert mkto.execute(method="describe")
    # Left to itself the library repeats 604, 606 and 615, but has lost its token by then (600).
    impatient = MarketoClient("123-ABC-456", "sandbox-client", "sandbox-secret", max_retry_time=0)
    impatient.authenticate()
    for name, code in (("throttle", "606"), ("concurrency", "615"), ("timed_out", "604"), ("daily_quota", "607"),
                       ("system_error", "611")):
        fault(f"marketo.{name}")
        refused(code, impatient.describe)


@step
def the_desk_knows_what_was_applied():
    equal(desk("GET", "marketo/leads?key=email:l0@example.com")["records"][0]["_writes"], 2)
    equal(desk("GET", "stats")["marketo"]["jobs"], 2)


if __name__ == "__main__":
    run()
