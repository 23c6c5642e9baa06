# The module table: one row per room. A room may include only its own files, the doors of the rooms in USES
# (<room>/<room>.h) and the headers of the vendors in OWNS. Read by the build (targets.cmake) and by the layer check
# (check_rooms.cmake); ARCHITECTURE.md says what each room holds.
set(ZHITUI_ROOMS "")
macro(zhitui_room name)
  cmake_parse_arguments(_room "" "DIR" "USES;OWNS" ${ARGN})
  list(APPEND ZHITUI_ROOMS ${name})
  if(NOT _room_DIR)
    set(_room_DIR src/${name})
  endif()
  set(ZHITUI_ROOM_${name}_DIR ${_room_DIR})
  set(ZHITUI_ROOM_${name}_USES ${_room_USES})
  set(ZHITUI_ROOM_${name}_OWNS ${_room_OWNS})
endmacro()

#            room       may use                                                        owns
zhitui_room(base                                                                       OWNS openssl date)
zhitui_room(yaml      USES base                                                        OWNS libyaml)
zhitui_room(value     USES base)
zhitui_room(facts     USES base yaml value                                             OWNS simdjson)
zhitui_room(cel       USES base value                                                  OWNS re2)
zhitui_room(rules     USES base yaml value facts cel                                   OWNS nlohmann)
zhitui_room(proving   USES base yaml value facts cel rules                             OWNS nlohmann)
zhitui_room(engine    USES base value facts cel rules)
zhitui_room(decide    USES base value facts rules engine                                      OWNS nlohmann)
zhitui_room(message   USES base yaml facts decide value)
zhitui_room(planning  USES base value facts decide message)
zhitui_room(authoring USES base yaml value facts cel rules decide message)
zhitui_room(editor    USES base yaml value facts cel rules message authoring           OWNS nlohmann)
zhitui_room(stream    USES base                                                        OWNS librdkafka sqlite3)
zhitui_room(store     USES base                                                        OWNS hiredis sqlite3)
zhitui_room(delivery  USES base message)
zhitui_room(pipeline  USES base value facts rules engine decide message planning stream store delivery OWNS nlohmann)
zhitui_room(api       USES base value facts rules decide pipeline                      OWNS httplib nlohmann)
zhitui_room(app       USES base message delivery  DIR connectors/app                   OWNS httplib nlohmann openssl curl)
zhitui_room(wechat    USES base message delivery  DIR connectors/wechat                OWNS httplib nlohmann openssl)
zhitui_room(sms       USES base message delivery  DIR connectors/sms                   OWNS httplib nlohmann openssl)
zhitui_room(daemon    USES base yaml value facts cel rules proving engine decide message planning authoring editor stream store
                           delivery pipeline api app wechat sms                              OWNS cli11 spdlog prometheus nlohmann httplib)

# Vendor name -> prefix of its headers as written in #include <...>.
set(ZHITUI_VENDOR_HEADERS
  "openssl=openssl/" "date=date/" "libyaml=yaml.h" "simdjson=simdjson" "re2=re2/" "librdkafka=librdkafka/" "hiredis=hiredis/"
  "sqlite3=sqlite3" "httplib=httplib" "nlohmann=nlohmann/" "cli11=CLI/" "spdlog=spdlog/" "prometheus=prometheus/"
  "curl=curl/" "fmt=fmt/" "gtest=gtest/")
