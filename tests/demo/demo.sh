#!/bin/sh
# make demo: the main job from end to end on a private httpd. Everything lies in a temporary folder and listens on loopback only;
# the script ends with an error as soon as a step does not do what it says. With ONCE=1 it ends by itself.
# Settings from make: ICP_BUILD, ICP_HTTPD, ICP_MODULES.
set -eu
cd "$(dirname "$0")/../.."
build=$(cd "${ICP_BUILD:-build}" && pwd)
httpd=${ICP_HTTPD:-/usr/sbin/apache2}
modules=${ICP_MODULES:-/usr/lib/apache2/modules}

dir=$(mktemp -d "${TMPDIR:-/tmp}/icp-demo.XXXXXX")
chmod 755 "$dir"
bold='' plain=''
if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi

# --- telling -------------------------------------------------------------------------------------------------------------

say() { printf '\n%s\n' "$*"; }

fail() {
    echo "demo: $*" >&2
    cat "$dir"/*.log >&2 2>/dev/null || :
    exit 1
}

# run STATUS COMMAND: shows a command line, runs it, shows what it prints; it must end with STATUS.
run() {
    printf '\n%s$ %s%s\n' "$bold" "$2" "$plain"
    status=0
    sh -c "$2" >"$dir/output" 2>&1 || status=$?
    cat "$dir/output"
    [ "$status" -eq "$1" ] || fail "expected exit status $1, got $status"
}

# shows TEXT...: the last command printed each of them.
shows() {
    for text in "$@"; do grep -qF -e "$text" "$dir/output" || fail "the last command did not print: $text"; done
}

# --- two servers, started and stopped by their own process ids ----------------------------------------------------------------

# serve NAME PORT <configuration
serve() {
    {
        cat <<CONF
ServerRoot "$dir"
ServerName localhost
PidFile $1.pid
ErrorLog $1.log
DefaultRuntimeDir "$dir"
Listen 127.0.0.1:$2
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_host_module $modules/mod_authz_host.so
LoadModule dir_module $modules/mod_dir.so
LoadModule mime_module $modules/mod_mime.so
TypesConfig "$dir/mime.types"
StartServers 2
CONF
        [ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n'
        cat
    } >"$dir/$1.conf"
    "$httpd" -f "$dir/$1.conf" -k start 2>"$dir/$1.start.log" || return 1
    for _ in $(seq 100); do
        curl -s -o /dev/null "http://127.0.0.1:$2/" && return 0
        sleep 0.1
    done
    return 1
}

stop() {
    [ -s "$dir/$1.pid" ] || return 0
    pid=$(cat "$dir/$1.pid")
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || :
}

clean_up() {
    trap '' INT TERM
    stop front
    stop back
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# page SITE TITLE [NUMBER]: writes a home page with the number in its footer.
page() {
    mkdir -p "$dir/www/$1"
    footer=${3:+"<a href=\"https://beian.miit.gov.cn/\">$3</a>"}
    cat >"$dir/www/$1/index.html" <<HTML
<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>$2</title></head>
<body><h1>$2</h1><p>欢迎光临！</p><footer>$footer</footer></body></html>
HTML
}

page tea 龙井茶庄 沪ICP备05012345号-1
page toys 小熊玩具
page books 旧书店 沪ICP备05012345号-1
page bikes 单车行 粤ICP备2021098765号
echo 'text/html html' >"$dir/mime.types"

# A port that somebody else has makes httpd refuse to start: try others.
for try in 1 2 3 4 5; do
    port=$((10000 + ($$ * 7 + try * 1009) % 20000))
    back=$((port + 1))
    serve back "$back" <<CONF && break
DocumentRoot "$dir/www/bikes"
CONF
    stop back
    [ "$try" -lt 5 ] || fail "the second server does not start"
done

export PATH="$build:$PATH" ICP_REGISTER="$dir/state/register.db" ICP_CONNECT="http=127.0.0.1:$port"

# --- the story -----------------------------------------------------------------------------------------------------------

say "This is mod_icp on a private httpd, under $dir.
A provider hosts four shops. First the register: the licenses, and which site must show which number."

run 0 "icpadmin init"
run 0 "icpadmin license add 沪ICP备05012345号 --holder 上海春茶贸易有限公司"
run 0 "icpadmin license add 浙ICP备10203044号 --holder 杭州小熊玩具有限公司"
run 0 "icpadmin license add 粤ICP备2021098765号 --holder 广州单车行有限公司"
run 0 "icpadmin site add tea.example.cn   --host tea.localhost   --license 沪ICP备05012345号-1"
run 0 "icpadmin site add toys.example.cn  --host toys.localhost  --license 浙ICP备10203044号-1"
run 0 "icpadmin site add books.example.cn --host books.localhost --license 浙ICP备10203044号-2"
run 0 "icpadmin site add bikes.example.cn --host bikes.localhost --license 粤ICP备2021098765号"

say "Now httpd with the module. Three shops are files; the bikes come by proxy from a second server."

serve front "$port" <<CONF || fail "httpd does not start"
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
LoadModule icp_module "$build/mod_icp.so"
ICPEngine On
ICPRegister $ICP_REGISTER
ICPSightings $dir/state/sightings/sightings.db
ICPPassKey $dir/state/pass.key
ICPProvider "Demo Hosting" http://localhost:$port/
ICPContact "support@hosting.example"
ICPApply http://localhost:$port/apply
ICPFaq http://localhost:$port/faq
<VirtualHost *:$port>
    ServerName localhost
    ICPEngine Off
    DocumentRoot "$dir/www"
    <Location "/icp-status">
        SetHandler icp-status
        Require local
    </Location>
    <Location "/apply">
        SetHandler icp-apply
    </Location>
    <Location "/faq">
        SetHandler icp-faq
    </Location>
</VirtualHost>
$(for site in tea toys books; do printf '<VirtualHost *:%s>\nServerName %s.example.cn\nServerAlias %s.localhost\nDocumentRoot "%s"\n</VirtualHost>\n' \
    "$port" $site $site "$dir/www/$site"; done)
<VirtualHost *:$port>
    ServerName bikes.example.cn
    ServerAlias bikes.localhost
    ProxyPass "/" "http://127.0.0.1:$back/"
</VirtualHost>
CONF

say "Which home pages break the rule? icpadmin fetches each through httpd and judges what a visitor can see."
run 1 "icpadmin check --all"
shows toys.example.cn missing books.example.cn incorrect

say "Toys shows no number, books shows the number of the tea shop. Both are turned off; no reload is needed."
run 0 "icpadmin suspend toys.example.cn --reason missing --note 'no number on the home page'"
run 0 "icpadmin suspend books.example.cn --reason incorrect --note 'shows the number of tea.example.cn'"

say "The very next request gets the ICP requirement page: HTML in a browser, here as text, the visitor's language first."
run 0 "curl -si -H 'Accept: text/plain' -H 'Accept-Language: en' http://toys.localhost:$port/"
shows 'HTTP/1.1 451' no-store 'suspended' 浙ICP备10203044号-1
say "So does every other path, method and host name of a suspended site."
run 0 "curl -s -o /dev/null -w '%{http_code}\\n' -X POST -H 'Host: books.example.cn' http://127.0.0.1:$port/any/page"
shows 451

say "The others are served as before."
run 0 "curl -s http://tea.localhost:$port/"
shows 龙井茶庄
run 0 "curl -s http://bikes.localhost:$port/"
shows 单车行

say "There is no way back but a page that is right: enabling the toys now is refused."
run 1 "icpadmin enable toys.example.cn"

say "The owner puts the number into the footer ..."
run 0 "sed -i 's|<footer></footer>|<footer><a href=\"https://beian.miit.gov.cn/\">浙ICP备10203044号-1</a></footer>|' $dir/www/toys/index.html"
say "... and the live page is inspected again, through the gate, before the site goes on."
run 0 "icpadmin enable toys.example.cn"
run 0 "curl -si http://toys.localhost:$port/"
shows 'HTTP/1.1 200' 小熊玩具 浙ICP备10203044号-1

say "Clients who have no number yet apply for one in English or Chinese, and find answers to their questions."
run 0 "curl -s -H 'Accept-Language: en' 'http://localhost:$port/apply?kind=first' | grep -o '<h1[^>]*>[^<]*'"
run 0 "curl -s -H 'Accept-Language: en' http://localhost:$port/faq | grep -o '<h1[^>]*>[^<]*'"

say "Where everything stands, and who did what. Each line of the log is chained to the one before by its hash."
run 0 "icpadmin site list"
run 0 "icpadmin log --site toys.example.cn"
run 0 "icpadmin log --verify"

say "Done."
[ -z "${ONCE:-}" ] || exit 0

say "The server stays up until Ctrl-C. In a browser on this machine:"
for site in tea toys books bikes; do echo "    http://$site.localhost:$port/"; done
for page in apply faq icp-status; do echo "    http://localhost:$port/$page"; done
say "In another shell, to go on with icpadmin:"
echo "    export PATH=\"$build:\$PATH\" ICP_REGISTER=$ICP_REGISTER ICP_CONNECT=\"$ICP_CONNECT\""
while sleep 3600; do :; done
