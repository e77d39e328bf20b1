package config

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// delimiter separates a section from a key. It is not viper's dot, which file
// names and addresses contain.
const delimiter = "::"

// Source says where to read a configuration from.
type Source struct {
	// File is the configuration file that was asked for by name: it must
	// exist. Empty: the first of the well-known places that exists.
	File string
	// Section is the command's section, and Global and Local its flags.
	Section       string
	Global, Local *pflag.FlagSet
	Getenv        func(string) string
}

// Load reads the configuration. The second result is the file that was read,
// empty if none.
func Load(src Source) (*Config, string, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	keys := Keys()
	for _, k := range keys {
		v.SetDefault(k.path(delimiter), k.Default)
		// Each by name: viper's own search takes a variable called like a section for
		// all of it, and STARLING_TRACKER would be the end of every tracker key.
		if err := v.BindEnv(k.path(delimiter), k.Env()); err != nil {
			return nil, "", err
		}
	}
	if err := bind(v, keys, "", src.Global); err != nil {
		return nil, "", err
	}
	if err := bind(v, keys, src.Section, src.Local); err != nil {
		return nil, "", err
	}
	file, err := find(src)
	if err != nil {
		return nil, "", err
	}
	if file != "" {
		v.SetConfigFile(file)
		v.SetConfigType("yaml")
		if err := v.ReadInConfig(); err != nil {
			return nil, file, parseError(file, err)
		}
	}
	var c Config
	if err := v.UnmarshalExact(&c, viper.DecodeHook(hooks)); err != nil {
		return nil, file, faults(&src, file, decodeFaults(err))
	}
	if err := c.Validate(); err != nil {
		return nil, file, faults(&src, file, validFaults(err))
	}
	return &c, file, nil
}

// bind connects those flags of a set that have a key in a section.
func bind(v *viper.Viper, keys []Key, section string, flags *pflag.FlagSet) error {
	if flags == nil {
		return nil
	}
	for _, k := range keys {
		if f := flags.Lookup(k.Name); f != nil && k.Section == section {
			if err := v.BindPFlag(k.path(delimiter), f); err != nil {
				return err
			}
		}
	}
	return nil
}

// find returns the configuration file: the one asked for, or the first that
// exists. The working directory is no place to look: a directory that somebody
// else can write must not configure us.
func find(src Source) (string, error) {
	for _, asked := range []string{src.File, src.Getenv(envPrefix + "CONFIG")} {
		if asked != "" {
			_, err := os.Stat(asked)
			return asked, placed(asked, err)
		}
	}
	for _, place := range Places(src.Getenv) {
		_, err := os.Stat(place)
		if err == nil {
			return place, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", placed(place, err)
		}
	}
	return "", nil
}

// placed puts the file before what is wrong with it, as all errors here have it.
func placed(file string, err error) error {
	if err == nil {
		return nil
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", file, err)
}

// Places are where a configuration file is looked for when none is named.
func Places(getenv func(string) string) []string {
	var out []string
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		out = append(out, filepath.Join(dir, "starling", "config.yaml"))
	} else if home := getenv("HOME"); home != "" {
		out = append(out, filepath.Join(home, ".config", "starling", "config.yaml"))
	}
	return append(out, "/etc/starling/config.yaml")
}

// Key is one leaf of the configuration.
type Key struct {
	Section, Name string // Section is empty for a global key
	Default       any    // as a file would write it
}

func (k Key) path(sep string) string {
	if k.Section == "" {
		return k.Name
	}
	return k.Section + sep + k.Name
}

// Env is the environment variable of the key.
func (k Key) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path("_"), "-", "_"))
}

// Keys lists every key with its default, in the order of the Config type.
func Keys() []Key { return KeysOf(Default()) }

// KeysOf lists every key with its value in c.
func KeysOf(c Config) []Key { return leaves("", reflect.ValueOf(c)) }

func leaves(section string, v reflect.Value) []Key {
	var out []Key
	for i := range v.NumField() {
		field, val := v.Type().Field(i), v.Field(i)
		tag := field.Tag.Get("mapstructure")
		switch {
		case strings.HasSuffix(tag, ",squash"):
			out = append(out, leaves(section, val)...)
		case val.Kind() == reflect.Struct:
			out = append(out, leaves(tag, val)...)
		default:
			out = append(out, Key{Section: section, Name: tag, Default: asText(val.Interface())})
		}
	}
	return out
}

// asText turns sizes, rates and durations into what a file says, so that a
// default takes the same way in as everything else.
func asText(v any) any {
	if s, ok := v.(fmt.Stringer); ok {
		return s.String()
	}
	if l, ok := v.([]string); ok && l == nil {
		return []string{}
	}
	return v
}

// hooks turn text into the types of the configuration. Text is the only way to
// a duration or a rate: the number 30 could mean seconds to the one who wrote
// it and nanoseconds to us.
func hooks(from, to reflect.Type, data any) (any, error) {
	ptr := reflect.New(to)
	text, isText := ptr.Interface().(encoding.TextUnmarshaler)
	switch s, isString := data.(string); {
	case to == reflect.TypeFor[time.Duration]() && from != to:
		if !isString {
			return nil, fmt.Errorf("write a duration with its unit, like 30s")
		}
		d, err := time.ParseDuration(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration like 90s or 1h30m", s)
		}
		return d, nil
	case isText && from != to:
		if err := text.UnmarshalText([]byte(fmt.Sprint(data))); err != nil {
			return nil, err
		}
		return ptr.Elem().Interface(), nil
	case isString && to.Kind() == reflect.Slice:
		return splitList(s), nil
	}
	return data, nil
}

// splitList reads an environment variable that holds a list.
func splitList(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(s, ",")
}

func unwrapParse(err error) error {
	var parse viper.ConfigParseError
	if errors.As(err, &parse) {
		return parse.Unwrap()
	}
	return err
}
