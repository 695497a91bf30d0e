# Puts the figures into the questions and answers of one language.
# usage: awk -v lang=en -f figures.awk figures.tsv en.md            Markdown for cmark
#        awk -v lang=en -v docs=1 -f figures.awk figures.tsv en.md  docs/faq.en.md
# A question is "## id: text"; its id is where links lead. {{>paste}} and {{>help}} are parts of page.html, which a file
# on its own does without.
BEGIN { FS = "\t" }
FNR == NR {
    if ($0 !~ /^#/ && NF) { if (NF != 3) { print "figures.tsv: three fields wanted: " $0 > "/dev/stderr"; exit failed = 1 }
        figure["@" $1 "@"] = lang == "zh" ? $3 : $2 }
    next
}
docs && FNR == 1 {
    print lang == "zh" ? "<!-- 由 conf/faq/zh.md 生成：make docs -->\n# ICP 备案常见问题\n" : "<!-- Made from conf/faq/en.md by make docs -->\n# ICP numbers: questions and answers\n"
}
{
    for (name in figure) gsub(name, figure[name])
    if (match($0, /@[a-z][a-z0-9-]*@/)) { print FILENAME ": no figure " substr($0, RSTART, RLENGTH) > "/dev/stderr"; exit failed = 1 }
}
docs && /^# / { $0 = "#" $0 }
docs && /^## [a-z]+: / { split($0, part, /[ :]+/); sub(/^## [a-z]+: /, ""); $0 = "<a id=\"" part[2] "\"></a>\n\n### " $0 }
docs && /^{{>paste}}$/ {
    $0 = (lang == "zh" ? "把号码换成您自己的：" : "Put your own number in place of this one:") \
         "\n\n```html\n<a href=\"https://beian.miit.gov.cn/\" target=\"_blank\" rel=\"noopener\">沪ICP备05012345号-1</a>\n```"
}
docs && /^{{>help}}$/ { $0 = lang == "zh" ? "请联系为您的网站提供主机的服务商。" : "The provider that hosts your website." }
{ print }
END { exit failed }
