# Turns what cmark made of one language into two parts of the page: a list of links and the answers.
# usage: cmark en.md | awk -v lang=en -f sections.awk
function end_answer() { if (in_answer) body = body "</article>\n"; in_answer = 0 }
function end_group() { end_answer(); if (groups) { body = body "</section>\n"; list = list "</ul>\n</div>\n" } }
/^<h1>/ {
    end_group(); groups++
    text = $0; gsub(/<\/?h1>/, "", text)
    list = list "<div>\n<h2>" text "</h2>\n<ul>\n"
    body = body "<section aria-labelledby=\"group-" groups "\">\n<h2 id=\"group-" groups "\">" text "</h2>\n"
    next
}
/^<h2>/ {
    end_answer(); in_answer = 1
    text = $0; gsub(/<\/?h2>/, "", text)
    id = text; sub(/:.*/, "", id); sub(/^[^:]*: */, "", text)
    list = list "<li><a href=\"#" id "\">" text "</a></li>\n"
    body = body "<article id=\"" id "\" aria-labelledby=\"q-" id "\">\n<h3 id=\"q-" id "\"><a href=\"#" id "\">" text "</a></h3>\n"
    next
}
/^<p>{{&gt;[a-z]+}}<\/p>$/ { gsub(/<\/?p>/, ""); sub(/&gt;/, ">"); sub(/}}/, "-" lang "}}") }
{ body = body $0 "\n" }
END {
    end_group()
    printf "{{<list-%s}}\n%s{{/list-%s}}\n{{<body-%s}}\n%s{{/body-%s}}\n", lang, list, lang, lang, body, lang
}
