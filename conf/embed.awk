# Turns the files of the built-in notice into one C header: notice.html becomes icp_notice_html, words.txt icp_words_txt.
# usage: awk -f embed.awk notice.html notice.txt words.txt > icp_notice_pages.h
FNR == 1 {
    if (NR > 1) print "    ;"
    name = FILENAME; sub(/.*\//, "", name); gsub(/[^a-z]/, "_", name)
    print (NR == 1 ? "/* Generated from conf/notice by embed.awk. */\n" : "") "static const char icp_" name "[] ="
}
{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); print "    \"" $0 "\\n\"" }
END { print "    ;" }
