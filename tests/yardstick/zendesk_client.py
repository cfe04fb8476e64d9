"""zenpy, as its documentation uses it."""

import datetime
import time

import requests
from zenpy import Zenpy
from zenpy.lib.api_objects import Comment, JobStatus, Organization, Ticket, User
from zenpy.lib.exception import (
    APIException, RatelimitBudgetExceeded, RecordNotFoundException, TooManyValuesException)

from yardstick import desk, equal, fault, raises, run, step

zd = None
made = {}


def finished(job):
    assert isinstance(job, JobStatus), job
    while job.status in ("queued", "working"):
        job = zd.job_status(id=job.id)
    return job


@step
def log_in_with_a_token_and_with_oauth():
    global zd
    zd = Zenpy(subdomain="acme", email="agent@example.com", token="sandbox-api-token", disable_cache=True)
    equal(zd.users.me().email, "agent@example.com")
    by_oauth = Zenpy(subdomain="acme", email="agent@example.com", oauth_token="sandbox-oauth-token")
    equal(by_oauth.users.me().role, "admin")
    with raises((APIException, requests.HTTPError)):
        Zenpy(subdomain="acme", email="agent@example.com", token="wrong").users.me()


@step
def users_one_by_one():
    user = zd.users.create(User(name="Ann", email="Ann@Example.com", external_id="U1",
                                user_fields={"ltv": 12.5, "customer_health": "healthy"}, skip_verify_email=True))
    equal((user.email, user.external_id, user.user_fields["ltv"]), ("ann@example.com", "U1", 12.5))
    user.name = "Anna"
    equal(zd.users.update(user).name, "Anna")
    equal(zd.users(id=user.id).name, "Anna")
    equal(zd.users.create_or_update(User(name="Anne", external_id="u1")).id, user.id)  # any case
    equal(zd.users(id=user.id).external_id, "u1")
    equal([found.id for found in zd.users.search(external_id="U1")], [user.id])
    equal([found.id for found in zd.users.search(query="ann@example.com")], [user.id])
    equal([found.id for found in zd.users(external_ids=["u1", "nobody"])], [user.id])
    zd.users.add_tags(user.id, ["vip"])
    equal(zd.users(id=user.id).tags, ["vip"])
    made["ann"] = user.id
    gone = zd.users.create(User(name="Short", email="short@example.com"))
    zd.users.delete(gone)
    with raises(RecordNotFoundException):
        zd.users(id=gone.id)


@step
def refused_users_carry_details():
    for user, field in ((User(email="x@example.com"), "name"), (User(name="B", email="nope"), "email"),
                        (User(name="B", email="ann@example.com"), "email"),
                        (User(name="B", user_fields={"customer_health": "great"}), "customer_health"),
                        (User(name="B", organization_id=77), "organization_id")):
        try:
            zd.users.create(user)
            raise AssertionError(f"{field} was taken")
        except APIException as refused:
            equal(refused.response.status_code, 422)
            assert field in refused.response.json()["details"], refused.response.text


@step
def many_users_and_their_jobs():
    people = [User(name=f"N{i}", email=f"n{i}@example.com", external_id=f"n{i}") for i in range(100)]
    job = finished(zd.users.create_or_update(people))
    equal((job.status, job.total, len(job.results)), ("completed", 100, 100))
    equal({result.status for result in job.results}, {"Created"})
    job = finished(zd.users.create_or_update([User(name="Renamed", external_id="n0"),
                                              User(name="N", external_id="n1", email="nope")]))
    equal(sorted(result.status for result in job.results), ["Failed", "Updated"])
    with raises(TooManyValuesException):
        zd.users.create_or_update(people + [User(name="One more")])
    finished(zd.users.create([User(name="C1"), User(name="C2")]))
    users = list(zd.users(external_ids=["n2", "n3"]))
    users[0].notes, users[1].notes = "a", "b"
    job = finished(zd.users.update(users))
    equal({result.action for result in job.results}, {"update"})
    finished(zd.users.update_by_external_id([User(external_id="n4", name="By external id")]))
    equal([user.name for user in zd.users(external_ids=["n4"])], ["By external id"])
    finished(zd.users.delete(users))
    finished(zd.users.delete_by_external_id([User(external_id="n5")]))
    equal(len(list(zd.users(external_ids=["n2", "n3", "n5"]))), 0)


@step
def pages():
    everyone = list(zd.users())
    assert len(everyone) == len({user.id for user in everyone}) >= 99, len(everyone)
    equal(len(list(zd.users(cursor_pagination=10))), len(everyone))
    equal(len(list(zd.users(cursor_pagination=False))), len(everyone))


@step
def organizations():
    one = zd.organizations.create(Organization(name="Acme", external_id="o1", organization_fields={"plan": "gold"}))
    equal(zd.organizations.create_or_update(Organization(name="Acme 2", external_id="O1")).id, one.id)
    equal(zd.organizations(id=one.id).organization_fields["plan"], "gold")
    with raises(APIException):
        zd.organizations.create(Organization(name="Acme 2"))  # names are unique, and never match
    job = finished(zd.organizations.create([Organization(name=f"Org {i}") for i in range(3)] + [Organization(name="Org 0")]))
    equal([result.status for result in job.results].count("Failed"), 1)
    user = zd.users(id=made["ann"])
    user.organization_id = one.id
    zd.users.update(user)
    equal([member.id for member in zd.organizations.users(one)], [made["ann"]])
    equal([org.id for org in zd.organizations(external_ids=["o1"])], [one.id])
    finished(zd.organizations.delete(list(zd.search(type="organization", name="Org 1"))))
    equal(len([org for org in zd.organizations() if org.name.startswith("Org")]), 2)


@step
def tickets():
    audit = zd.tickets.create(Ticket(subject="Help", comment=Comment(body="It is broken"), requester_id=made["ann"],
                                     custom_fields=[{"id": 8002, "value": "12.5"}], external_id="t1"))
    ticket = audit.ticket
    equal((ticket.description, ticket.status), ("It is broken", "new"))
    equal({field["id"]: field["value"] for field in ticket.custom_fields}[8002], 12.5)
    ticket.status = "open"
    ticket.comment = Comment(body="Looking", public=False)
    equal(zd.tickets.update(ticket).ticket.status, "open")
    equal([comment.body for comment in zd.tickets.comments(ticket.id)], ["It is broken", "Looking"])
    job = finished(zd.tickets.create([Ticket(subject=f"T{i}", description="d") for i in range(3)]))
    equal(sorted(result.index for result in job.results), [0, 1, 2])
    several = [zd.tickets(id=result.id) for result in job.results]
    for one in several:
        one.priority = "high"
    equal(finished(zd.tickets.update(several)).status, "completed")
    finished(zd.tickets.delete(several[:1]))
    with raises(RecordNotFoundException):
        zd.tickets(id=several[0].id)
    imported = zd.ticket_import.create(Ticket(subject="Old", comments=[Comment(body="long ago")]))
    equal((imported.ticket if hasattr(imported, "ticket") else imported).subject, "Old")
    finished(zd.ticket_import.create([Ticket(subject="Old 2", description="d"), Ticket(subject="Old 3", description="d")]))
    zd.tickets.add_tags(ticket.id, ["a", "b"])
    zd.tickets.delete_tags(ticket.id, ["a"])
    equal(zd.tickets(id=ticket.id).tags, ["b"])
    with raises(APIException):
        zd.tickets.create(Ticket(subject="No text"))


@step
def searching():
    equal([user.id for user in zd.search("ann@example.com", type="user")], [made["ann"]])
    equal(len(list(zd.search(type="user", external_id="n7"))), 1)
    equal(len(list(zd.search(type="ticket", priority="high"))), 2)
    equal(len(list(zd.search(type="user", created_after=datetime.date(2020, 1, 1), name="N1"))), 11)
    equal(len(list(zd.search(type="user", minus="tags:vip", email="ann@example.com"))), 0)
    equal(zd.search.count("type:ticket priority:high") if hasattr(zd.search, "count") else 2, 2)
    equal(len(list(zd.search_export(type="user", query="n1", cursor_pagination=3))), 11)


@step
def incremental_exports():
    # The exports end where nothing changed for a while, so the library asks no further.
    start = int(time.time()) - 3600
    users = zd.users.incremental(start_time=start, paginate_by_time=True)
    assert made["ann"] in {user.id for user in users}
    by_cursor = zd.users.incremental(start_time=start, paginate_by_time=False, per_page=50)
    assert len({user.id for user in by_cursor}) > 90
    by_cursor = zd.tickets.incremental(start_time=start, paginate_by_time=False)
    assert len({ticket.id for ticket in by_cursor}) >= 5
    assert by_cursor.after_cursor
    assert len({item.id for item in zd.organizations.incremental(start_time=start)}) == 3


@step
def fields_are_described():
    found = {field.key: field for field in zd.user_fields()}
    equal((found["customer_health"].type, found["ltv"].type), ("dropdown", "decimal"))
    equal(found["customer_health"].custom_field_options[0].value, "healthy")
    assert "plan" in {field.key for field in zd.organization_fields()}
    titles = {field.id: field.title for field in zd.ticket_fields()}
    equal(titles[8001], "Order number")
    equal(zd.ticket_fields(id=8003).type, "tagger")


@step
def errors_raise_the_librarys_own_exceptions():
    with raises(RecordNotFoundException):
        zd.users(id=1234567)
    fault("zendesk.throttle", times=2)
    equal(zd.users.me().role, "admin")  # the library waits as long as Retry-After says
    impatient = Zenpy(subdomain="acme", email="agent@example.com", token="sandbox-api-token", ratelimit_budget=1)
    fault("zendesk.throttle")
    with raises(RatelimitBudgetExceeded):
        impatient.users.me()
    fault("zendesk.http_500")
    with raises(APIException):
        zd.users.create(User(name="X"))
    fault("zendesk.bulk_forbidden")
    with raises(APIException):
        zd.users.create_or_update([User(name="X", external_id="x")])
    fault("zendesk.too_many_jobs", times=1)
    finished(zd.users.create_or_update([User(name="X", external_id="x")]))
    job = zd.users.create_or_update([User(name="X", external_id="x")])
    fault("zendesk.job_gone")
    with raises(RecordNotFoundException):
        zd.job_status(id=job.id)


@step
def the_desk_knows_what_was_applied():
    equal(desk("GET", "zendesk/users?key=external_id:n0")["records"][0]["_writes"], 2)
    assert desk("GET", "stats")["zendesk"]["jobs"] >= 10


if __name__ == "__main__":
    run()
