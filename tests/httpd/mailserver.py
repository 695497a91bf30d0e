"""A real SMTP server on loopback (aiosmtpd), whose answers a test decides, and two that misbehave below SMTP.

    with MailServer() as server: ... server.url, server.mails (email.message.EmailMessage with .envelope)
"""
import email
import email.policy
import socket
import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from canned import stop_accepting
from env import free_port


class MailServer:
    """Answers: rcpt, data: what is said to the next recipients or texts, by address ("*": all); password: AUTH is asked for."""

    def __init__(self, certificate=None, password=None, implicit=False):
        self.mails, self.connections = [], 0
        self.rcpt, self.data, self.mail_from, self.drop_in_data = {}, {}, None, set()
        self.password, self.logins = password, []
        self.port = free_port()
        self.url = f"{'smtps' if implicit else 'smtp'}://127.0.0.1:{self.port}"
        options = {"auth_required": password is not None, "authenticator": self._authenticate}
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            options["ssl_context" if implicit else "tls_context"] = context
        if implicit:
            options["auth_require_tls"] = False
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *unused):
        self._controller.stop()

    def _authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode(), session.ssl is not None))
        return AuthResult(success=data.password.decode() == self.password, handled=False)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.mail_from:
            return self.mail_from
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.rcpt.get(address) or self.rcpt.get("*")
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to in self.drop_in_data:
            server.transport.abort()
            return "250 never said"
        answer = self.data.get(to) or self.data.get("*")
        if answer:
            return answer
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        mail.envelope, mail.raw, mail.tls = (envelope.mail_from, envelope.rcpt_tos), envelope.content, session.ssl is not None
        self.mails.append(mail)
        return "250 2.0.0 taken as M1"


class DumbServer:
    """Accepts connections and says `lines`, one after each line it gets (the first at once), then nothing more."""

    def __init__(self, *lines, close=False):
        self._lines, self._close = lines, close
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url, self.connections = f"smtp://127.0.0.1:{self.port}", 0
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._open = []

    def __enter__(self):
        self._accepting.start()
        return self

    def __exit__(self, *unused):
        stop_accepting(self._listener, self._accepting)
        for connection in self._open:
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        try:
            lines = connection.makefile("rb")
            for line in self._lines:
                connection.sendall(line.encode() + b"\r\n")
                lines.readline()
            if self._close:
                connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
