"""What the tests of messages share: a provider with holders to write to, suspensions that are told of, and the outbox. The fixture
`register` is in conftest.py."""
import json
import sqlite3

SENDER = "mail-from=示例云 <support@example.cn>"


def use(register, server, *more):
    register.icpadmin("policy", "set", "mail=smtp", f"mail-server={server.url}", SENDER, "provider=示例云", "contact=021-12345678",
                      "message-timeout=2", *more)


def suspend(register, site="shop.example.cn"):
    register.icpadmin("suspend", site, "--reason", "missing")


def waiting(register, *arguments):
    return json.loads(register.icpadmin("outbox", "list", "--json", *arguments).out)


def add_holders(register, count):
    """Sites that each have a holder of their own; returns their names."""
    names = [f"s{i}.example.cn" for i in range(count)]
    numbers = [f"沪ICP备19{i + 123456}号" for i in range(count)]
    licenses, sites = register.root / "licenses.csv", register.root / "sites.csv"
    licenses.write_text("number,holder\n" + "".join(f"{number},holder {i}\n" for i, number in enumerate(numbers)))
    sites.write_text("name,hosts,license\n" + "".join(f"{name},{name},{number}\n" for name, number in zip(names, numbers)))
    register.icpadmin("license", "import", licenses)
    register.icpadmin("site", "import", sites)
    with sqlite3.connect(register.register) as connection:
        connection.execute("ATTACH ? AS private", [str(register.state / "private.db")])
        connection.execute("INSERT INTO private.contact (holder_id, email) SELECT id, 'owner' || substr(name, 8) || '@shop.example.cn' "
                           "FROM holder WHERE name LIKE 'holder %'")
    connection.close()
    return names


def suspend_many(register, names):
    register.icpadmin("suspend", "-", "--reason", "missing", "--yes", stdin="\n".join(names))


def sql(register, statement, *values):
    with sqlite3.connect(register.state / "private.db") as connection:
        connection.execute(statement, values)
    connection.close()


def content(mail):
    """The text as a reader sees it."""
    return mail.get_content().replace("\r\n", "\n")


def make_due(register):
    """The back-off is over."""
    sql(register, "UPDATE outbox SET next_at = next_at - 7200")


def script(path, text):
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path
